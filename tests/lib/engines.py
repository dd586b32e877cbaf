# SPDX-License-Identifier: GPL-2.0-only
"""The two engines held against each other: byte-identical objects but for "engine", and a program that really ran."""
import re

import sensor
import tap

RUNS = re.compile(r"program runs: (\d+)")


def engine_of(out, engine):
    """The bytes with the engine's name taken out; None where it is not there exactly once."""
    mark = re.compile(rb'("engine"\s*:\s*)"' + engine.encode() + rb'"')
    return mark.sub(rb'\1"X"', out) if len(mark.findall(out)) == 1 else None


def first_difference(left, right):
    place = next((i for i, (a, b) in enumerate(zip(left, right)) if a != b), min(len(left), len(right)))
    begin = max(0, place - 60)
    return [f"from byte {place}:", f"native {left[begin:place + 60]!r}", f"kernel {right[begin:place + 60]!r}"]


def compare(files, options):
    """Replays files by both engines. Lines of what is wrong: none when they agree."""
    return compared(files, options)[0]


def compared(files, options):
    """The same lines, and the native engine's Replay."""
    native = sensor.replay(files, *options)
    kernel = sensor.replay(files, "-v", *options, engine="kernel")
    if native.json is None or kernel.json is None:
        return [f"native: status {native.status}: {native.err}", f"kernel: status {kernel.status}: {kernel.err}"], native
    left, right = engine_of(native.out, "native"), engine_of(kernel.out, "kernel")
    lines = []
    if left is None or right is None:
        lines.append(f'"engine" is {native.json.get("engine")!r} and {kernel.json.get("engine")!r}')
    elif left != right:
        lines += tap.differences(native.json, kernel.json) + first_difference(left, right)
    if native.status != kernel.status:
        lines.append(f"exit status {native.status} and {kernel.status}: {native.err} {kernel.err}")
    runs = RUNS.search(kernel.err)
    if not runs:
        lines.append(f"the kernel engine does not say how often the program ran: {kernel.err!r}")
    elif int(runs.group(1)) != kernel["received"]:
        lines.append(f"received {kernel['received']}, the program ran {runs.group(1)} times")
    if native["ledger"] != sensor.BALANCED:
        lines.append(f"the ledger does not balance: {native['ledger']}")
    if any(native["flows"]["lost"].values()):  # userspace waits for its own logs
        lines.append(f"something was lost in a replay: {native['flows']['lost']}")
    return lines, native
