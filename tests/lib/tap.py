# SPDX-License-Identifier: GPL-2.0-only
"""TAP for the tests in Python: results as they come, the reason under what failed, the exit status at the end."""
import sys
import traceback

WHY_LINES = 30


class Tap:
    def __init__(self):
        self.results = self.failures = 0

    def ok(self, good, name, *why):
        """Tells one result; `why` are the lines that explain a failure."""
        self.results += 1
        if good:
            print(f"ok - {name}", flush=True)
            return True
        self.failures += 1
        print(f"not ok - {name}")
        lines = [line for text in why for line in str(text).splitlines()]
        for line in lines[:WHY_LINES]:
            print(f"# {line}")
        if len(lines) > WHY_LINES:
            print(f"# ... {len(lines) - WHY_LINES} more lines")
        sys.stdout.flush()
        return False

    def same(self, got, want, name):
        """Are both equal? Dictionaries are compared key by key, so that only what differs is told."""
        return self.ok(got == want, name, *differences(got, want))

    def skip(self, name, reason):
        self.results += 1
        print(f"ok - {name} # SKIP {reason}", flush=True)

    def call(self, function, *args):
        """Runs a test function; what it raises is a failure under its name, and the next ones still run."""
        try:
            function(self, *args)
        except Exception:  # whatever it is, it is told, and the other tests go on
            self.ok(False, function.__name__, traceback.format_exc())

    def done(self):
        """Ends the test. A run without any result is a failure."""
        if not self.results:
            self.ok(False, "tests something", "no result was told")
        print(f"1..{self.results}", flush=True)
        sys.exit(1 if self.failures else 0)


def differences(got, want, path=""):
    """Lines that say where two values differ."""
    if isinstance(got, dict) and isinstance(want, dict):
        lines = []
        for key in sorted(set(got) | set(want), key=str):
            if key not in got:
                lines.append(f"{path}{key}: missing, wanted {want[key]}")
            elif key not in want:
                lines.append(f"{path}{key}: {got[key]}, wanted nothing")
            elif got[key] != want[key]:
                lines += differences(got[key], want[key], f"{path}{key}.")
        return lines
    return [] if got == want else [f"{path.rstrip('.') or 'value'}: {got}, wanted {want}"]
