# SPDX-License-Identifier: GPL-2.0-only
"""A kept sensor under traffic that never stops: senders in waves, somebody who watches that no total goes back, and
what must hold when all is told."""
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.request

from live import EYE_MAC, free_port, stop
from sensor import AIRGLOW, BALANCED, IBR, SCENARIOS

NORTH, SOUTH = "198.18.0.0/17", "198.18.128.0/17"
RATE = 60000      # packets a second to each of the two prefixes
WAVE_S = 1.5
TOTAL = re.compile(r"^(airglow_[a-z0-9_]+_total(?:\{[^}]*\})?) (\S+)$", re.MULTILINE)
START = re.compile(r"^airglow_start_time_seconds (\S+)$", re.MULTILINE)
PORT = free_port()


class Traffic:
    """Waves of packets to both prefixes until it is stopped; `sent` by prefix, as the senders say."""

    def __init__(self, world, rate=RATE, wave_s=WAVE_S):
        self.world, self.rate, self.wave_s, self.sent, self.dark, self.errors = world, rate, wave_s, {}, {}, []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._waves, args=(prefix, scenario))
                        for prefix, scenario in ((NORTH, None), (SOUTH, "random-sources.yaml"))]

    def _waves(self, prefix, scenario):
        truth, seed = self.world.path("truth-" + prefix.replace("/", "-")), 0
        options = ["--scenario", os.path.join(SCENARIOS, scenario)] if scenario else []
        self.sent[prefix] = self.dark[prefix] = 0
        while not self.stopping.is_set():
            seed += 1
            done = subprocess.run(["ip", "netns", "exec", self.world.sky, IBR, *options, "--live", "sky0", "--dst-mac", EYE_MAC,
                                   "--dark", prefix, "--packets", str(int(self.rate * self.wave_s)), "--rate", str(self.rate), "--seed",
                                   str(seed), "--truth", truth, "--truth-sources", "0"], capture_output=True, text=True,
                                  timeout=120, check=False)
            if done.returncode:
                self.errors.append(done.stderr)
                return
            with open(truth, encoding="utf-8") as f:
                told = json.load(f)
            self.sent[prefix] += told["received"]
            self.dark[prefix] += told["dark"]

    def __enter__(self):
        self.begin = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.seconds = time.monotonic() - self.begin


class Watcher:
    """Scrapes whoever answers, and notes each total that went back."""

    def __init__(self, port=PORT):
        self.url, self.last, self.back, self.starts, self.scrapes = f"http://127.0.0.1:{port}/metrics", {}, [], set(), 0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def look(self, text):
        self.scrapes += 1
        self.starts.update(START.findall(text))
        for series, value in TOTAL.findall(text):
            if float(value) < self.last.get(series, 0):
                self.back.append(f"{series}: {self.last[series]} then {value}")
            self.last[series] = float(value)

    def _watch(self):
        while not self.stopping.is_set():
            try:
                with urllib.request.urlopen(self.url, timeout=5) as answer:
                    self.look(answer.read().decode())
            except OSError:
                pass
            self.stopping.wait(0.2)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


class Kept:
    """A sensor with --keep, started again and again in one world."""

    def __init__(self, world, **config):
        self.world, self.process, self.sensor = world, None, None
        self.config = {"keep": "true", "pins": world.path("bpf"), "state": world.path("state"), "interval": "1000", **config}
        os.chmod(world.directory.name, 0o755)  # the sensor reads its configuration again as another user
        os.makedirs(world.path("state"), exist_ok=True)
        self.scopes = {"north": NORTH, "south": SOUTH}
        self.write()

    def write(self, scopes=None, more=""):
        self.scopes = scopes or self.scopes
        dark = ", ".join(f'{{prefix: "{prefix}", scope: {name}}}' for name, prefix in self.scopes.items())
        text = "".join(f"{key}: {value}\n" for key, value in self.config.items()) + f"dark: [{dark}]\n" + more
        path = self.world.path("airglow.yaml")
        with open(path + ".new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(path + ".new", path)

    def start(self, binary=AIRGLOW):
        self.sensor = self.world.sensor("-c", self.world.path("airglow.yaml"), "--feed", "mirror", port=PORT, binary=binary)
        return self.sensor

    def end(self, how):
        """Ends it by a signal; SIGKILL too."""
        return stop(self.sensor.process, how)

    def reload(self):
        """SIGHUP; what it then says of it."""
        before = len(self.sensor.said())
        self.sensor.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            said = [line for line in self.sensor.said()[before:].splitlines() if "reloaded" in line]
            if said:
                return said[0]
            time.sleep(0.02)
        return "nothing was said; before: " + self.sensor.said()[-1000:]

    def detach(self):
        """As root: the mount of the pins goes too."""
        return subprocess.run([AIRGLOW, "detach", "-c", self.world.path("airglow.yaml")], capture_output=True, text=True,
                              check=False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.sensor:
            self.end(signal.SIGINT)
        self.detach()


def scope_packets(summary):
    return {scope["scope"]: sum(scope["packets"].values()) for scope in summary["scopes"]}


def untold(summary):
    """Dark packets that are neither in records and touches nor counted as lost."""
    flows = summary["flows"]
    lost = sum(count for stage, count in flows["lost"].items() if stage != "ring")
    return summary["dark"] - flows["record_packets"] - flows["touches"] - lost


def settle(kept, traffic):
    """The summary when all that was sent is in it, and its interval is closed."""
    if kept.sensor.process.poll() is not None:
        raise AssertionError(f"the sensor ended, status {kept.sensor.process.returncode}: {kept.sensor.said()[-2000:]}")
    kept.sensor.settled(sum(traffic.sent.values()))
    end = time.monotonic() + 20
    while untold(kept.sensor.summary()) and time.monotonic() < end:
        time.sleep(0.5)
    return kept.sensor.summary()


def check(t, name, kept, traffic, watcher):
    """What must hold in the end, whatever was done meanwhile."""
    summary = settle(kept, traffic)
    t.same(traffic.errors, [], f"{name}: the senders end well")
    t.same(summary["received"], sum(traffic.sent.values()), f"{name}: received = sent, {traffic.seconds:.0f} s, "
           f"{sum(traffic.sent.values()) / traffic.seconds:.0f} packets/s")
    t.same(summary["dark"], sum(traffic.dark.values()), f"{name}: dark = sent to dark addresses")
    t.same(sum(scope_packets(summary).values()), summary["dark"], f"{name}: every dark packet is in one scope")
    t.same(summary["ledger"], BALANCED, f"{name}: the laws hold")
    t.same(untold(summary), 0, f"{name}: each dark packet is told or counted as lost: {summary['flows']['lost']}")
    t.same(watcher.back[:5], [], f"{name}: no total goes back in {watcher.scrapes} scrapes")
    t.ok(watcher.scrapes > 3 and len(watcher.starts) == 1, f"{name}: one start time", watcher.starts)
    return summary
