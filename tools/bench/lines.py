# SPDX-License-Identifier: GPL-2.0-only
"""Cold cache lines a packet, by stage: the native engine, which is the packet program's very source, under cachegrind,
whose last level is made as large as a core's own cache (512 KiB). A miss there is a line that has to come from a cache
that cores share, or from memory. It is a simulation: it knows no prefetcher, no other program, and no address translation."""
import collections
import json
import os
import shutil
import subprocess

CACHE = ["--D1=32768,8,64", "--LL=524288,8,64"]
RUN_S = 240


def read(path):
    """Misses of the data cache by source file, and of what, from cachegrind's own file."""
    misses, events, file_ = collections.Counter(), [], ""
    with open(path, encoding="utf-8", errors="replace") as out:
        for line in out:
            if line.startswith("events:"):
                events = line.split()[1:]
            elif line.startswith("fl="):
                file_ = line[3:].strip()
            elif line[:1].isdigit():
                counts = dict(zip(events, map(int, line.split()[1:])))
                misses[file_] += counts.get("DLmr", 0) + counts.get("DLmw", 0)
    return misses


def count(directory, dark, capture, packets, miss):
    """Lines a packet by header of bpf/, and of the collector; None if cachegrind is not there."""
    if not shutil.which("valgrind"):
        return miss("cold_lines", "valgrind is not installed")
    out = os.path.join(directory, "cachegrind.out")
    command = ["valgrind", "--tool=cachegrind", "--cache-sim=yes", *CACHE, f"--cachegrind-out-file={out}",
               os.path.join(directory, "collector"), dark, capture]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=RUN_S)
    except subprocess.TimeoutExpired:
        return miss("cold_lines", f"took longer than {RUN_S} s")
    if done.returncode or json.loads(done.stdout)["packets"] != packets:
        return miss("cold_lines", done.stderr.decode("utf-8", "replace").strip().splitlines()[-1])
    stages = collections.Counter()
    for path, lines in read(out).items():
        if os.path.basename(os.path.dirname(path)) == "bpf":
            stages[os.path.basename(path)[:-2]] += lines / packets
    figures = {name: round(lines, 3) for name, lines in stages.most_common() if lines >= 0.005}
    figures["all"] = round(sum(stages.values()), 3)
    return figures


def show(figures):
    print("\ncold cache lines a packet, simulated, by the header that reads them")
    for mix, stages in figures.items():
        if stages:
            print(f"  {mix:<8}{stages['all']:>6.2f}  " + ", ".join(f"{n} {v:.2f}" for n, v in stages.items() if n != "all"))
