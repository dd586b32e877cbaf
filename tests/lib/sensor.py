# SPDX-License-Identifier: GPL-2.0-only
"""The programs under test, called as a user calls them: airglow replay, and ibr, which makes captures."""
import json
import os
import re
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.environ.get("AIRGLOW_ROOT") or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("AIRGLOW_BUILD") or os.path.join(ROOT, "build")
AIRGLOW = os.path.join(BUILD, "airglow")
with open(os.path.join(ROOT, "include", "airglow", "law.def"), encoding="utf-8") as law_def:
    BALANCED = {name: 0 for name in re.findall(r'^AG_LAW\(\w+, "(\w+)"', law_def.read(), re.MULTILINE)}
IBR = os.path.join(BUILD, "ibr")
SCENARIOS = os.path.join(ROOT, "tools", "ibr", "scenarios")
ENGINES = ("native", "kernel")
RUN_S = 120


class Replay:
    """One finished `airglow replay --json`: status, stdout as it was, its object (None: none was printed), stderr."""

    def __init__(self, done):
        self.status, self.out = done.returncode, done.stdout
        self.err = done.stderr.decode("utf-8", "replace")
        try:
            self.json = json.loads(self.out) if self.out.strip() else None
        except ValueError:
            self.json = None

    def __getitem__(self, key):
        if self.json is None:
            raise AssertionError(f"no object on stdout, exit status {self.status}, stderr: {self.err.strip()}")
        return self.json[key]


def replay(files, *options, engine="native", stdin=None, cwd=None):
    """Runs the replay of one file or of several."""
    files = [files] if isinstance(files, str) else list(files)
    return Replay(subprocess.run([AIRGLOW, "replay", "--json", "--engine", engine, *options, *files],
                                 stdin=stdin if stdin is not None else subprocess.DEVNULL, capture_output=True,
                                 timeout=RUN_S, cwd=cwd, check=False))


class Made:
    """A capture that ibr made of a scenario, and what it sent."""

    def __init__(self, pcap, truth):
        self.pcap, self.truth = pcap, truth


def make(directory, scenario, *options, name=None):
    """Makes a capture. `scenario`: a name in tools/ibr/scenarios, or the path of a file."""
    file = scenario if os.sep in scenario else os.path.join(SCENARIOS, scenario + ".yaml")
    name = name or os.path.splitext(os.path.basename(scenario))[0]
    pcap, truth = os.path.join(directory, name + ".pcap"), os.path.join(directory, name + ".json")
    done = subprocess.run([IBR, "--scenario", file, "--pcap", pcap, "--truth", truth, *options], capture_output=True,
                          text=True, timeout=RUN_S, check=False)
    if done.returncode:
        raise AssertionError(f"ibr cannot make {name}: {done.stderr.strip()}")
    with open(truth, encoding="utf-8") as f:
        return Made(pcap, json.load(f))


def captures():
    """The shared captures, {name: path}; empty where they are missing."""
    directory = os.environ.get("AG_PCAPS") or os.path.join(ROOT, os.pardir, "shared", "pcap")
    if not os.path.isdir(directory):
        return {}
    return {name: os.path.join(directory, name) for name in sorted(os.listdir(directory)) if ".pcap" in name
            or name.endswith(".trace")}


def positive(counts):
    """Without the entries that are 0."""
    return {key: value for key, value in counts.items() if value}


def in_parallel(function, items):
    """function(item) for every item, two at a time; the answers in order."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(function, items))


class Scratch:
    """A directory that is gone at the end: `with Scratch() as directory`."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="airglow-test-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)
