# SPDX-License-Identifier: GPL-2.0-only
"""End to end over a veth pair: what a receiver takes of a sender at full speed, and what CPU time that costs.

The receivers are a program that only drops, the sensor, tcpdump and pmacctd; namespaces, pair and sender are the same
for all. The receiving interface has threaded NAPI, so that everything the kernel does for a packet there (the ring, the
XDP program, or the making of an skb, its copy to a packet socket and the IP stack that then drops it) is the CPU time of
one kernel thread, read from its schedstat like that of the receiver's own threads. The sender has a CPU of its own.
"""
import glob
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "tests", "lib"))
from live import EYE_MAC, World, sh, stop  # noqa: E402

DARK = "198.18.0.0/16"
SEND_CPU, RECEIVE_CPU = 0, max(os.cpu_count() - 1, 0)
NAPI_NICE = -10  # softirqs go before processes: so does their thread
SEND_S = 120
START_S = 10
PMACCTD_CONF = """daemonize: false
pcap_interface: eye0
pcap_filter: ip
aggregate: proto, dst_port
plugins: print
print_output: csv
print_output_file: {out}
print_refresh_time: 3600
print_cache_entries: 199999
plugin_pipe_size: 268435456
plugin_buffer_size: 65536
"""


def read(path):
    with open(path, encoding="ascii", errors="replace") as file:
        return file.read()


def run_ns(pid):
    """CPU time of all threads of a process, ns; 0 if it has ended."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            total += int(read(path).split()[0])
        except (OSError, IndexError):
            continue
    return total


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    try:
        return [int(child) for child in read(f"/proc/{pid}/task/{pid}/children").split()]
    except OSError:
        return []


def napi_threads():
    found = set()
    for path in glob.glob("/proc/[0-9]*/comm"):
        try:
            if read(path).startswith("napi/eye0"):
                found.add(int(path.split("/")[2]))
        except OSError:
            continue
    return found


class Receiver:
    """One who receives on eye0. start() returns once packets would be taken; got() how many it took, once it has ended or
    settled."""

    name = "drop"

    def __init__(self, world):
        self.world, self.process = world, None

    def eye(self, *command):
        return sh("ip", "netns", "exec", self.world.eye, *command)

    def open(self, *command, ready=None):
        self.process = subprocess.Popen(["ip", "netns", "exec", self.world.eye, *command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if ready is None:
            return
        for line in self.process.stderr:
            if ready in line:
                return
        raise AssertionError(f"{self.name} ended with {self.process.wait()}")

    def start(self):
        self.eye("ip", "link", "set", "eye0", "xdpdrv", "object", os.path.join(os.environ.get("BUILD", "build"), "bench",
                                                                              "drop.bpf.o"), "section", "xdp")

    def pids(self):
        return [self.process.pid, *children(self.process.pid)] if self.process else []

    def got(self, sent):
        """Whatever the ring took was dropped by the program."""
        return sent, {}

    def close(self):
        if self.process:
            stop(self.process)


class Sensor(Receiver):
    name = "airglow"

    def start(self):
        self.sensor = self.world.sensor("--dark", DARK, "--feed", "mirror", "--mode", "native", port=free_port())
        self.process = self.sensor.process

    def got(self, sent):
        summary = self.sensor.settled(sent)
        flows = summary["flows"]
        return summary["received"], {"lost_packets": sum(flows["lost"].values()), "records": flows["records"],
                                     "touches": flows["touches"]}

    def close(self):
        self.sensor.close()


class Tcpdump(Receiver):
    name = "tcpdump"

    def start(self):
        self.open("tcpdump", "-Z", "root", "-i", "eye0", "-n", "-B", "65536", "-w", "/dev/null", ready="listening on")

    def got(self, sent):
        stop(self.process)
        said = self.process.stderr.read()
        return int(re.search(r"(\d+) packets? captured", said)[1]), {}


class Pmacctd(Receiver):
    name = "pmacctd"

    def start(self):
        self.csv = self.world.path("pmacctd.csv")
        conf = self.world.path("pmacctd.conf")
        with open(conf, "w", encoding="ascii") as file:
            file.write(PMACCTD_CONF.format(out=self.csv))
        self.open("pmacctd", "-f", conf, ready="link type is")
        time.sleep(1)

    def got(self, sent):
        """What its table holds; it writes that when it is interrupted."""
        os.kill(self.process.pid, signal.SIGINT)
        self.process.wait(START_S)
        end = time.monotonic() + START_S
        while not os.path.exists(self.csv) and time.monotonic() < end:
            time.sleep(0.2)
        time.sleep(1)  # its plugin writes it, and nobody tells when it is done
        lines = read(self.csv).splitlines()
        column = lines[0].strip().split(",").index("PACKETS")
        return sum(int(line.split(",")[column]) for line in lines[1:]), {}


def send(world, packets):
    """Packets that the interface took, and the seconds that it took them in."""
    truth = world.path("truth.json")
    command = ["ip", "netns", "exec", world.sky, "taskset", "-c", str(SEND_CPU),
               os.path.join(os.environ.get("BUILD", "build"), "ibr"), "--live", "sky0", "--send", "xdp", "--rate", "0",
               "--dst-mac", EYE_MAC, "--dark", DARK, "--seed", "1", "--packets", str(packets), "--truth", truth,
               "--truth-sources", "0"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SEND_S, check=False)
    told = re.search(r"sent \d+ packets through \S+ in ([0-9.]+) s", done.stderr)
    if done.returncode or not told:
        raise AssertionError(f"ibr ended with {done.returncode}: {done.stderr.strip()}")
    with open(truth, encoding="utf-8") as file:
        return json.load(file)["received"], float(told[1])


def bind_napi(before):
    """The kernel thread of the interface, on its CPU."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        fresh = napi_threads() - before
        if fresh:
            for pid in fresh:
                os.sched_setaffinity(pid, {RECEIVE_CPU})
                os.setpriority(os.PRIO_PROCESS, pid, NAPI_NICE)
            return fresh
        time.sleep(0.05)
    raise AssertionError("the interface has no NAPI thread")


def measure(kind, packets):
    """One run of one receiver."""
    before = napi_threads()
    with World(f"bench-{kind.name}", dark4=(DARK,)) as world:
        # With GRO a veth has NAPI, with or without an XDP program.
        sh("ip", "netns", "exec", world.eye, "ethtool", "-K", "eye0", "gro", "on")
        sh("ip", "netns", "exec", world.eye, "sh", "-c", "echo 1 > /sys/class/net/eye0/threaded")
        receiver = kind(world)
        try:
            receiver.start()
            kernel = bind_napi(before)
            time.sleep(0.5)
            start = sum(map(run_ns, kernel)), sum(map(run_ns, receiver.pids()))
            sent, seconds = send(world, packets)
            time.sleep(1.5)  # who lags behind still reads what is in its buffers
            spent = sum(map(run_ns, kernel)) - start[0], sum(map(run_ns, receiver.pids())) - start[1]
            got, more = receiver.got(sent)
        finally:
            receiver.close()
    if not got:
        raise AssertionError(f"{kind.name} got nothing of {sent} packets")
    return {"sent": sent, "got": got, "pps": round(got / seconds), "kernel_s_per_million": spent[0] / got / 1e3,
            "own_s_per_million": spent[1] / got / 1e3, "cpu_s_per_million": sum(spent) / got / 1e3, **more}


def join(runs):
    """Medians, with the spread of what is compared."""
    joined = {key: round(statistics.median(run[key] for run in runs), 4) for key in runs[0]}
    for key in ("pps", "cpu_s_per_million"):
        joined[key + "_spread"] = [round(fold(run[key] for run in runs), 4) for fold in (min, max)]
    return joined


def veth(packets, rounds, miss):
    """All receivers in turn, round after round. miss(name, why): what could not be measured."""
    kinds = (Receiver, Sensor, Tcpdump, Pmacctd)
    runs, broken = {kind.name: [] for kind in kinds}, {}
    for turn in range(rounds):
        print(f"veth: round {turn + 1} of {rounds}: {', '.join(runs)}", flush=True)
        for kind in kinds:
            if kind.name in broken:
                continue
            try:
                runs[kind.name].append(measure(kind, packets))
            except (AssertionError, OSError, ValueError, TypeError, subprocess.SubprocessError) as error:
                broken[kind.name] = str(error) or repr(error)
    figures = {"packets": packets, "rounds": rounds}
    for name, list_ in runs.items():
        figures[name] = join(list_) if name not in broken else miss(f"veth.{name}", broken[name])
    return figures


def show(figures):
    print(f"\nveth: {figures['packets']} packets at full speed into one queue, medians of {figures['rounds']}")
    print(f"  {'':<10}{'packets/s':>12}{'min':>11}{'max':>11}{'got of sent':>14}{'CPU s a million':>17}{'kernel':>9}{'own':>9}")
    for name in ("drop", "airglow", "tcpdump", "pmacctd"):
        f = figures[name]
        if not f:
            print(f"  {name:<10}{'missing':>12}")
            continue
        low, high = f["pps_spread"]
        print(f"  {name:<10}{f['pps']:>12,.0f}{low:>11,.0f}{high:>11,.0f}{f['got'] / f['sent']:>14.4%}"
              f"{f['cpu_s_per_million']:>17.3f}{f['kernel_s_per_million']:>9.3f}{f['own_s_per_million']:>9.3f}")
