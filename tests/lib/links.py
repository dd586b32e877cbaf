# SPDX-License-Identifier: GPL-2.0-only
"""A sensor on two interfaces whose surroundings change: what was sent to each of them, what it counted and said."""
import json
import re
import subprocess
import time
import urllib.error

from live import World, free_port, sh

RESTART = 75
NOTICED_S = 10  # less than the 20 s after which the doctor looks in any case
ENDS_S = 15
QUEUES = "4"
# A frame a packet to the given address, of a SYN to port 23: what is asked for, and nothing of the kernel's own.
SENDER = r'''
import socket, struct, sys
interface, dst, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((interface, 0))
ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, socket.inet_aton("192.0.2.77"), socket.inet_aton(dst))
sum_ = sum(struct.unpack("!10H", ip))
while sum_ >> 16:
    sum_ = (sum_ & 0xffff) + (sum_ >> 16)
ip = ip[:10] + struct.pack("!H", 0xffff - sum_) + ip[12:]
tcp = struct.pack("!HHIIBBHHH", 40000, 23, 1, 0, 0x50, 2, 1024, 0, 0)
frame = b"\xff" * 6 + b"\x02\x00\x5e\x00\x53\x99" + b"\x08\x00" + ip + tcp
for _ in range(count):
    s.send(frame)
'''
CONFIG = """
interfaces:
  - {name: eye1, feed: routed, mode: %s}
dark:
  - {scope: zero, prefixes: [198.18.0.0/24, 198.18.7.0/24, 198.18.9.9, "2001:db8:40::/64"]}
  - {scope: one, prefixes: [198.18.1.0/24]}
"""
TO = {"eye0": ("sky0", "198.18.0.9"), "eye1": ("sky1", "198.18.1.9")}


class Scene:
    """A world of two cables, sky0-eye0 and sky1-eye1, and a sensor on both, feed routed."""

    def __init__(self, name, mode="native"):
        self.world = World("links-" + name, dark6=("2001:db8:40::/64",))
        self.mode = mode
        self.sent = {"zero": 0, "one": 0}

    def __enter__(self):
        self.world.__enter__()
        try:
            self.add_cable()
            self.config = self.world.path("links.yaml")
            with open(self.config, "w", encoding="utf-8") as f:
                f.write(CONFIG % self.mode)
            self.start()
        except BaseException:
            self.world.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.world.__exit__()

    def start(self):
        self.port = free_port()
        began = time.monotonic()
        self.sensor = self.world.sensor("-c", self.config, "--feed", "routed", port=self.port)
        self.starts_s = time.monotonic() - began
        self.sent = {"zero": 0, "one": 0}

    def eye(self, *command, check=True):
        return sh("ip", "netns", "exec", self.world.eye, *command, check=check)

    def ip(self, words):
        return self.eye("ip", *words.split())

    def add_cable(self, *words):
        sh("ip", "-n", self.world.eye, "link", "add", "eye1", *words, "numrxqueues", QUEUES, "numtxqueues", QUEUES, "type",
           "veth", "peer", "name", "sky1", "netns", self.world.sky, "numrxqueues", QUEUES, "numtxqueues", QUEUES)
        sh("ip", "-n", self.world.eye, "link", "set", "eye1", "up")
        sh("ip", "-n", self.world.sky, "link", "set", "sky1", "up")

    def send(self, to, count, counted=True):
        interface, dst = TO[to]
        self.world.send("/usr/bin/python3", "-c", SENDER, interface, dst, str(count))
        if counted:
            self.sent["zero" if to == "eye0" else "one"] += count

    def counts(self):
        """Dark packets by scope, when nothing more comes."""
        return {s["scope"]: sum(s["packets"].values()) for s in self.sensor.settled()["scopes"]}

    def wait(self, good, seconds=NOTICED_S):
        """What good() gave at last: its first true value, or its last."""
        end = time.monotonic() + seconds
        while True:
            value = good()
            if value or time.monotonic() > end:
                return value
            time.sleep(0.2)

    def says(self, text, seconds=NOTICED_S):
        return self.wait(lambda: text in self.sensor.said(), seconds)

    def gaps(self):
        return self.sensor.summary()["gaps"]

    def gap(self, interface, reason, open_):
        """The last gap of an interface, once it is as asked for."""
        def good():
            found = [g for g in self.gaps() if g["interface"] == interface]
            return found and found[-1]["reason"] == reason and (found[-1]["to"] is None) == open_ and found[-1]
        return self.wait(good)

    def gap_seconds(self):
        return {i: float(n) for i, n in re.findall(r'^airglow_coverage_gap_seconds_total\{interface="(\w+)"\} (\S+)$',
                                                   self.sensor.get("/metrics"), re.M)}

    def check(self, name, subject=None):
        for check in json.loads(self.sensor.get("/api/v1/doctor"))["checks"]:
            if check["check"] == name and (subject is None or check["subject"] == subject):
                return check
        return {"state": "missing", "remedy": "", "value": ""}

    def doctor(self, name, state, subject=None):
        """A check, once it has this state, and how long that took."""
        began = time.monotonic()
        found = self.wait(lambda: (c := self.check(name, subject))["state"] == state and c)
        return found, time.monotonic() - began

    def ready(self):
        try:
            self.sensor.get("/readyz")
            return True
        except urllib.error.HTTPError:
            return False

    def ended(self):
        """Its exit status, once it has ended by itself."""
        try:
            return self.sensor.process.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            return None

    def is_attached(self, interface):
        return "xdp" in json.loads(self.eye("ip", "-j", "-d", "link", "show", interface))[0]


def same_counts(t, scene, name):
    t.same(scene.counts(), scene.sent, name)
