# SPDX-License-Identifier: GPL-2.0-only
"""A sensor on a real interface: two network namespaces, a veth pair between them, airglow at one end, senders at the
other, and what the sender's side captured on the wire. Everything is gone at the end."""
import csv
import io
import itertools
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from sensor import AIRGLOW

SKY_MAC = "02:00:5e:00:53:01"
EYE_MAC = "02:00:5e:00:53:02"
START_S = 30
STOP_S = 20
SETTLE_S = 20
PORTS_GIVEN = itertools.count()


def sh(*command, check=True, timeout=120, **options):
    """Runs a command to its end; returns its standard output."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
                          **options)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def stop(process, how=signal.SIGINT, timeout=STOP_S):
    """Ends a process of ours, by its pid."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def free_port():
    """A port that nobody uses and that was not given before, below those that the kernel gives to connections: tests run
    beside each other. The three behind it are not given either."""
    for _ in range(1000):
        port = 11000 + (os.getpid() * 124 + 4 * next(PORTS_GIVEN)) % 20000
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise AssertionError("no free port")


class World:
    """Namespaces `sky` (senders, interface sky0) and `eye` (sensor, interface eye0)."""

    def __init__(self, name, dark4=("198.18.0.0/16",), dark6=(), offloads=True, queues=1):
        self.sky, self.eye = (f"ag-{name}-{side}-{os.getpid()}" for side in ("sky", "eye"))
        self.dark4, self.dark6, self.offloads, self.queues = dark4, dark6, offloads, str(queues)
        self.sensors = []
        self.directory = tempfile.TemporaryDirectory(prefix=f"airglow-{name}-")
        os.chmod(self.directory.name, 0o1777)  # as /tmp: the sensor, no longer root, reads again and removes what is there

    def __enter__(self):
        try:
            self._make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _make(self):
        for space in (self.sky, self.eye):
            sh("ip", "netns", "add", space)
            sh("ip", "-n", space, "link", "set", "lo", "up")
            sh("ip", "netns", "exec", space, "sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
               "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.router_solicitations=0",
               "net.ipv6.conf.default.autoconf=0",
               # The kernel's own multicast reports are packets too: only where a test needs IPv6.
               f"net.ipv6.conf.default.disable_ipv6={int(not self.dark6)}")
        sh("ip", "link", "add", "sky0", "netns", self.sky, "address", SKY_MAC, "numtxqueues", self.queues,
           "numrxqueues", self.queues, "type", "veth", "peer", "name", "eye0", "netns", self.eye, "address", EYE_MAC,
           "numtxqueues", self.queues, "numrxqueues", self.queues)
        sh("ip", "-n", self.sky, "address", "add", "192.0.2.1/24", "dev", "sky0")
        sh("ip", "-n", self.eye, "address", "add", "192.0.2.2/24", "dev", "eye0")
        if not self.offloads:
            for space, interface in ((self.sky, "sky0"), (self.eye, "eye0")):
                sh("ip", "netns", "exec", space, "ethtool", "-K", interface, "gro", "off", "gso", "off", "tso", "off")
        for space, interface in ((self.sky, "sky0"), (self.eye, "eye0")):
            sh("ip", "-n", space, "link", "set", interface, "up")
        # The senders need no answer to ask for: the way to the dark prefixes is fixed.
        sh("ip", "-n", self.sky, "neighbour", "add", "192.0.2.2", "lladdr", EYE_MAC, "dev", "sky0", "nud", "permanent")
        for prefix in self.dark4:
            sh("ip", "-n", self.sky, "route", "add", prefix, "via", "192.0.2.2", "dev", "sky0")
        if self.dark6:
            sh("ip", "-n", self.sky, "-6", "address", "add", "2001:db8:1::1/64", "dev", "sky0", "nodad")
            sh("ip", "-n", self.sky, "neighbour", "add", "2001:db8:1::2", "lladdr", EYE_MAC, "dev", "sky0", "nud",
               "permanent")
        for prefix in self.dark6:
            sh("ip", "-n", self.sky, "-6", "route", "add", prefix, "via", "2001:db8:1::2", "dev", "sky0")

    def __exit__(self, *_):
        for sensor in self.sensors:
            sensor.close()
        for space in (self.sky, self.eye):
            sh("ip", "netns", "del", space, check=False)
        with open("/proc/mounts", encoding="utf-8") as f:
            for place in [line.split()[1] for line in f]:
                if place.startswith(self.directory.name + "/"):
                    sh("umount", place, check=False)
        self.directory.cleanup()

    def path(self, name):
        return os.path.join(self.directory.name, name)

    def send(self, *command, check=True, timeout=120):
        """Runs a sender in the sky."""
        return sh("ip", "netns", "exec", self.sky, *command, check=check, timeout=timeout)

    def send_awake(self, *command, timeout=60):
        """The same for masscan, whose receiver ends only when a packet comes in: datagrams from the eye, not dark."""
        knock = ("import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
                 f"for _ in range({timeout * 4}):\n s.sendto(b'awake', ('192.0.2.1', 9))\n time.sleep(0.3)")
        waker = subprocess.Popen(["ip", "netns", "exec", self.eye, "/usr/bin/python3", "-c", knock],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return self.send(*command, timeout=timeout)
        finally:
            stop(waker, signal.SIGTERM)

    def sensor(self, *options, port=0, binary=AIRGLOW, prefix=(), env=None):
        """Starts `airglow run` on eye0 and waits until it answers. prefix: a command in front, that becomes it."""
        sensor = Sensor(self, options, port or free_port(), binary, prefix, env)
        self.sensors.append(sensor)
        sensor.wait_ready()
        return sensor

    def wire(self, name="wire"):
        """What leaves sky0, until it is stopped."""
        return Wire(self, self.path(name + ".pcap"))


class Sensor:
    def __init__(self, world, options, port, binary=AIRGLOW, prefix=(), env=None):
        self.url = f"http://127.0.0.1:{port}"
        self.log = open(world.path(f"sensor-{port}.log"), "w+", encoding="utf-8")
        self.process = subprocess.Popen([*prefix, binary, "run", "--netns", world.eye, "--iface", "eye0", "--listen",
                                         f"127.0.0.1:{port}", *options], stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as f:
            return f.read()

    def get(self, path, **headers):
        request = urllib.request.Request(self.url + path, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def summary(self):
        return json.loads(self.get("/api/v1/summary"))

    def wait_ready(self):
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"airglow run ended with {self.process.returncode}: {self.said().strip()}")
            try:
                self.get("/readyz")
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"airglow run is not ready after {START_S} s: {self.said().strip()}")

    def ended(self):
        """Ends the sensor, as Ctrl-C does; returns its exit status and the line that tells the closed books. Behind it
        doctor may still say what it has just seen."""
        status = stop(self.process)
        return status, "".join(line for line in self.said().splitlines() if ": stopped: " in line)

    def settled(self, received=None):
        """The summary when it holds `received` packets, or when two in a row are the same."""
        end, last = time.monotonic() + SETTLE_S, None
        while time.monotonic() < end:
            now = self.summary()
            if now["received"] == received if received is not None else last and now["received"] == last["received"]:
                return now
            last = now
            time.sleep(1.1)
        return last

    def close(self):
        status = stop(self.process)
        if not self.log.closed:
            self.log.close()
        return status


class Wire:
    """tcpdump on the sender's side: the judge of what was sent."""

    def __init__(self, world, path):
        self.path = path
        self.process = subprocess.Popen(["ip", "netns", "exec", world.sky, "tcpdump", "-i", "sky0", "-Q", "out", "-n",
                                         "-U", "-B", "65536", "-s", "256", "-w", path], stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "listening on" in line:
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            time.sleep(0.5)  # what is sent is written; tcpdump may still be reading its ring
            stop(self.process)
        self.told = self.process.stderr.read()

    def dropped(self):
        return "0 packets dropped by kernel" not in self.told


FIELDS = ("ip.dst", "ipv6.dst", "ip.proto", "ipv6.nxt", "tcp.dstport", "udp.dstport", "tcp.flags", "icmp.type")


def tshark_rows(path, fields=FIELDS, *options):
    """One dict a packet of raw fields; the outermost header's value where a field stands several times."""
    out = sh("tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=\t", "-E", "occurrence=f", "-o",
             "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-o",
             "tcp.desegment_tcp_streams:FALSE", *options,
             *(word for field in fields for word in ("-e", field)))
    return [dict(zip(fields, row)) for row in csv.reader(io.StringIO(out), delimiter="\t")]
