# SPDX-License-Identifier: GPL-2.0-only
"""A host that lives, as feed self has it: the eye is the host, the sky is everybody else."""
import json
import os
import subprocess
import time

from live import World, sh, stop
from sensor import positive

PEERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers.py")
HOST4, HOST6 = "192.0.2.2", "2001:db8:1::2"
SKY4, SKY6 = "192.0.2.1", "2001:db8:1::1"
SCANNER4, SCANNER6 = "10.9.0.1", "2001:db8:9::1"


class Host(World):
    """The eye is a host: own addresses of both families, a way to everywhere by the sky, which is everybody else."""

    def __init__(self, name):
        super().__init__(name, dark4=(), dark6=("2001:db8:2::/64",), offloads=False)
        self.others = []

    def _make(self):
        super()._make()
        for space, address, interface in ((self.eye, HOST6 + "/64", "eye0"), (self.sky, SCANNER6 + "/128", "sky0"),
                                          (self.sky, SCANNER4 + "/32", "sky0")):
            sh("ip", "-n", space, "address", "add", address, "dev", interface, "nodad")
        sh("ip", "-n", self.sky, "route", "add", "local", "10.8.0.0/16", "dev", "lo")
        sh("ip", "-n", self.eye, "route", "add", "default", "via", SKY4)
        sh("ip", "-n", self.eye, "-6", "route", "add", "default", "via", SKY6)

    def __exit__(self, *_):
        for process in self.others:
            stop(process)
        super().__exit__()

    def serve(self, space, *command, ready=None):
        """Starts a server in a namespace; waits until it says so, or until TCP port `ready` is listened on."""
        process = subprocess.Popen(["ip", "netns", "exec", space, *command], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.others.append(process)
        if ready is None:
            assert process.stdout.readline() == "ready\n", command
            return
        end = time.monotonic() + 10
        while f":{ready} " not in sh("ip", "netns", "exec", space, "ss", "-Hltn"):
            assert time.monotonic() < end and process.poll() is None, command
            time.sleep(0.1)

    def peer(self, space, *role):
        self.serve(space, "/usr/bin/python3", PEERS, *role)

    def ask(self, space, *role):
        return sh("ip", "netns", "exec", space, "/usr/bin/python3", PEERS, *role)

    def capture(self):
        """What goes over the wire, both ways, until it is stopped."""
        path = self.path("wire.pcap")
        process = subprocess.Popen(["ip", "netns", "exec", self.sky, "tcpdump", "-i", "sky0", "-n", "-U", "-B", "65536",
                                    "-s", "256", "-w", path], stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "listening on" in line:
                break
        return process, path

    def config(self):
        """As --dark self --feed self, with short intervals."""
        path = self.path("self.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"dark": ["self"], "interval": 1000}, f)
        return path


def gained(now, before, *keys):
    for key in keys:
        now, before = now[key], before[key]
    if isinstance(now, dict):
        return positive({name: count - before.get(name, 0) for name, count in now.items()})
    return now - before
