# SPDX-License-Identifier: GPL-2.0-only
"""What the tests that change the sources share: programs that are built and run in their own process groups, the
commands of the Makefile, and the verdict of a program that speaks TAP. Everything is below build/mutation."""
import glob
import os
import re
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "lib"))
import sensor  # noqa: E402

ROOT = sensor.ROOT
WORK = os.path.join("build", "mutation")  # from ROOT, like all paths here
BASE = os.path.join(WORK, "base")
TEST_S = 100  # far more than any test here needs
BUILD_S = 400  # all of it, beside others

KILLED, SURVIVED, BROKEN, ABSENT = "killed", "survived", "error", "absent"
NO_TEST = "no test fails"


class Broken(Exception):
    """A mutant that proves nothing: it does not compile or load, or its test does not run to an end."""


RUNNING = set()  # processes, each the head of its group
RUNNING_LOCK = threading.Lock()


def end_all(number, _frame):
    for process in list(RUNNING):
        end_group(process)
    os._exit(128 + number)


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(argv, seconds=TEST_S, **environment):
    """Runs a program to its end; returns (exit status, what it said)."""
    env = dict(os.environ, AIRGLOW_ROOT=ROOT, AG_PCAPS=os.path.join(ROOT, WORK, "no-captures"), LC_ALL="C.UTF-8",
               TZ="UTC", **environment)
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of `make test-long`
        env.pop(name, None)
    with RUNNING_LOCK:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   text=True, errors="replace", cwd=ROOT, env=env, start_new_session=True)
        RUNNING.add(process)
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        end_group(process)
        process.communicate()
        raise Broken(f"{argv[0]} did not end within {seconds} s") from None
    finally:
        RUNNING.discard(process)
    return process.returncode, said


def build(*argv):
    status, said = run(argv, BUILD_S)
    if status:
        raise Broken(f"does not build: {' '.join(argv)}\n{said}")


def sources(*patterns):
    found = (path for pattern in patterns for path in glob.glob(os.path.join(ROOT, pattern)))
    return sorted(os.path.relpath(path, ROOT) for path in found)


def read(path, mode="r"):
    with open(os.path.join(ROOT, path), mode, encoding=None if "b" in mode else "utf-8") as f:
        return f.read()


def first_failed(argv, seconds=TEST_S, **environment):
    """The first failed test of a program that speaks TAP, or None. A run without any test is an error."""
    status, said = run(argv, seconds, **environment)
    failed = re.search(r"^not ok\b\s*-?\s*(.*?)\s*(?:\([\d.]+s\))?$", said, re.MULTILINE)
    if bool(failed) != bool(status):
        raise Broken(f"{argv[0]}: exit status {status}\n{said[-2000:]}")
    if not failed and not re.search(r"^ok\b(?!.*# SKIP)", said, re.MULTILINE):
        raise Broken(f"{argv[0]} tests nothing\n{said[-2000:]}")
    return failed.group(1).replace("::", "/") if failed else None


class Commands:
    """The commands of the Makefile, for an optimisation that compiles fast, and the objects that never change."""

    def __init__(self):
        self.make = ["make", "-s", f"BUILD={BASE}", "CFLAGS=-O1", "WARN=-w", "HARDEN="]
        unit = [f"{BASE}/obj/{path[:-2]}.o" for path in sources("tests/unit/*.c")]
        build(*self.make, "-j2", f"{BASE}/airglow", *unit)
        self.cc, self.link, self.libs, self.clang = (
            self.ask(words)
            for words in ("$(CC) $(ALL_CFLAGS)", "$(CC) $(LDFLAGS)", "$(LDLIBS)", "$(CLANG) $(BPF_CFLAGS)"))
        self.mains = {"unit": unit, "airglow": [f"{BASE}/obj/user/cli/main.o"]}

    def ask(self, words):
        status, said = run([*self.make, f"--eval=print-words: ; @echo '{words}'", "print-words"])
        if status or not said.strip():
            raise Broken(f"make does not tell {words}: {said}")
        return said.split()

    def link_program(self, program, target, *objects):
        """The given objects come before the library, which then gives all but those."""
        libs = ["-lcriterion"] if program == "unit" else []
        build(*self.link, *self.mains[program], *objects, f"{BASE}/libairglow.a", *self.libs, *libs, "-o", target)
