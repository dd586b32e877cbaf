# SPDX-License-Identifier: GPL-2.0-only
"""What the tests that change userspace share: a change is compiled, linked into the unit tests, and the suites that are to
notice it are run."""
import os
import shutil
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lib"))
from mutants import (BROKEN, KILLED, NO_TEST, ROOT, SURVIVED, WORK, Broken, Commands, build, end_all,  # noqa: E402
                     first_failed, read)
import tap  # noqa: E402

# Changes whose verdict is known, so that this test cannot tell kills where there are none.
GRACE = "user/engine/grace.c"
CONTROLS = (
    ("nothing that a test looks at", "#include \"engine/grace.h\"", "#include \"engine/grace.h\"\nint mutation_control;",
     SURVIVED, NO_TEST),
    ("nothing that compiles", "#include \"engine/grace.h\"", "#error control", BROKEN, "does not build"),
)


class Judge:
    def __init__(self, name, suites):
        self.commands, self.path, self.suites = Commands(), os.path.join(WORK, name), suites
        shutil.rmtree(os.path.join(ROOT, self.path), ignore_errors=True)

    def failed(self, unit):
        """The first unit test that fails, or None."""
        for suite in self.suites:
            name = first_failed([unit, "--tap", "-j1", "--filter", f"{suite}/*"])
            if name:
                return f"unit {name}"
        return None

    def verdict(self, number, path, old, new):
        """(verdict, by which test or why not) of one change."""
        source = read(path)
        if source.count(old) != 1:
            return BROKEN, f"{path} has the text {source.count(old)} times: {old}"
        directory = os.path.join(self.path, str(number))
        os.makedirs(os.path.join(ROOT, directory))
        copy, unit = os.path.join(directory, os.path.basename(path)), os.path.join(directory, "unit")
        with open(os.path.join(ROOT, copy), "w", encoding="utf-8") as f:
            f.write(source.replace(old, new))
        try:
            build(*self.commands.cc, "-c", copy, "-o", copy + ".o")
            self.commands.link_program("unit", unit, copy + ".o")
            name = self.failed(unit)
            return (KILLED, name) if name else (SURVIVED, NO_TEST)
        except Broken as error:
            return BROKEN, str(error)
        finally:
            shutil.rmtree(os.path.join(ROOT, directory))


def check_controls(t, judge):
    verdict, why = judge.verdict("unchanged", GRACE, CONTROLS[0][1], CONTROLS[0][1])
    good = t.ok(verdict == SURVIVED, "control: unchanged, it passes", verdict, why)
    for name, old, new, wanted, words in CONTROLS:
        verdict, why = judge.verdict("control", GRACE, old, new)
        good &= t.ok(verdict == wanted and words in why, f"control: {name}: {wanted}", verdict, why)
    return good


def can_run_programs(t):
    """The grace period is one of the kernel."""
    if os.geteuid() == 0:
        return True
    t.skip("a grace period is over at once", "loading a BPF program needs root")
    return False


def check(t, name, suites, changes, words):
    judge = Judge(name, suites)
    if not check_controls(t, judge):
        return
    chosen = [change for change in changes if not words or any(word in change[0] for word in words)]
    if not can_run_programs(t):
        chosen = [change for change in chosen if change[1] != GRACE]
    killed = 0
    with ThreadPoolExecutor(max_workers=2) as pool:
        for (what, path, _, _), (verdict, why) in zip(chosen, pool.map(
                lambda item: judge.verdict(item[0], *item[1][1:]), enumerate(chosen))):
            killed += verdict == KILLED
            by = f" by {why}" if verdict == KILLED else ""
            t.ok(verdict == KILLED, f"{verdict}{by}: {os.path.basename(path)}: {what}", why)
    t.ok(chosen and killed == len(chosen), f"mutation score, {name}: {100 * killed / max(len(chosen), 1):.1f} %, {killed} "
         f"of {len(chosen)} changes are missed by a test")


def main(name, suites, changes):
    """Tells of each change whether a test of the suites fails; of all, or those with a word of the command line."""
    t = tap.Tap()
    began = time.monotonic()
    signal.signal(signal.SIGTERM, end_all)
    signal.signal(signal.SIGINT, end_all)
    t.call(check, name, suites, changes, sys.argv[1:])
    print(f"# {time.monotonic() - began:.0f} s", flush=True)
    t.done()
