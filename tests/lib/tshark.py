# SPDX-License-Identifier: GPL-2.0-only
"""What tshark reads in a capture, counted by packet's outermost IP header: the second opinion on our parser.

tshark gets a profile in which every dissector above the transport layer, every tunnel and every guess (heuristics,
reassembly, analysis of sequence numbers) is off, so that the fields are the bytes and nothing else. One run a capture.
Which header is the outermost one is told by frame.protocols, the list of headers in their order; fields that occur
several times (an IP packet in IP, the header that an ICMP error quotes) are read at their first place.
"""
import os
import subprocess
from collections import Counter

KEPT = """frame eth ethertype vlan ieee8021ad mpls pppoe pppoes ppp arp ip ipv6 ipv6.hopopts ipv6.routing ipv6.fraghdr
ipv6.dstopts mipv6 hip shim6 ah tcp udp icmp icmpv6 data raw sll null""".split()
PREFERENCES = {
    "ip.defragment": "FALSE", "ipv6.defragment": "FALSE", "ip.tso_support": "TRUE", "ipv6.tso_support": "TRUE",
    "tcp.desegment_tcp_streams": "FALSE", "tcp.analyze_sequence_numbers": "FALSE",
    "tcp.relative_sequence_numbers": "FALSE", "tcp.calculate_timestamps": "FALSE", "udp.calculate_timestamps": "FALSE",
    "tcp.try_heuristic_first": "FALSE", "udp.try_heuristic_first": "FALSE", "ip.try_heuristic_first": "FALSE",
    "ipv6.try_heuristic_first": "FALSE", "icmp.favor_icmp_mpls": "FALSE",
}
# Extension headers of IPv6 as frame.protocols names them, and the field that says what follows each.
EXTENSIONS = {
    "ipv6.hopopts": "ipv6.hopopts.nxt", "ipv6.routing": "ipv6.routing.nxt", "ipv6.fraghdr": "ipv6.fraghdr.nxt",
    "ipv6.dstopts": "ipv6.dstopts.nxt", "ah": "ah.next_header", "mipv6": "mip6.proto", "hip": "hip.proto",
    "shim6": "shim6.nxt",
}
FIELDS = ["frame.protocols", "ip.dst", "ipv6.dst", "ip.proto", "ipv6.nxt", "tcp.dstport", "udp.dstport", "tcp.flags", "icmp.type",
          "icmp.code", "icmpv6.type", "icmpv6.code", *EXTENSIONS.values()]
FIGURES = ("received", "protocols", "tcp", "udp", "tcp_flags", "icmp", "icmpv6")
FLAGS = "FSRPAUEC"
RUN_S = 120


def make_profile(directory):
    """Writes the profile; the directory is then what `count` wants."""
    told = subprocess.run(["tshark", "-G", "protocols"], capture_output=True, text=True, timeout=RUN_S, check=True)
    names = [line.split("\t")[2] for line in told.stdout.splitlines() if line.count("\t") >= 2]
    missing = [name for name in KEPT if name not in names and name not in ("raw", "null", "sll")]
    if missing:
        raise AssertionError(f"this tshark knows no protocol of the name {missing}")
    with open(os.path.join(directory, "disabled_protos"), "w", encoding="utf-8") as f:
        f.writelines(name + "\n" for name in names if name not in KEPT)
    return directory


def letters(byte):
    return "".join(c for bit, c in enumerate(FLAGS) if byte >> bit & 1) or "-"


class Row:
    """One packet: first occurrences by field name."""

    def __init__(self, line):
        self.fields = dict(zip(FIELDS, line.rstrip("\n").split("\t")))
        self.chain = self.fields["frame.protocols"].split(":")

    def nth(self, field, n=0):
        values = self.fields[field].split(",")
        return values[n] if n < len(values) and values[n] else None

    def outermost(self):
        """(network, [extensions], what follows) of the outermost IP header; None where there is none."""
        start = next((i for i, name in enumerate(self.chain) if name in ("ip", "ipv6")), None)
        if start is None:
            return None
        rest, extensions = self.chain[start + 1:], []
        while self.chain[start] == "ipv6" and rest and rest[0] in EXTENSIONS:
            extensions.append(rest.pop(0))
        return self.chain[start], extensions, rest[0] if rest else None

    def protocol(self, network, extensions):
        """The last header of the chain; None where the destination could not be read: such a packet is not dark."""
        if self.nth(network + ".dst") is None:
            return None
        if network == "ip":
            return self.nth("ip.proto")
        last, seen = self.nth("ipv6.nxt"), Counter()
        for name in extensions:
            following = self.nth(EXTENSIONS[name], seen[name])
            seen[name] += 1
            if following is None:
                break
            last = following
        return last


def book(figures, row):
    figures["received"][""] += 1
    outermost = row.outermost()
    if not outermost:
        return
    network, extensions, transport = outermost
    protocol = row.protocol(network, extensions)
    if protocol is not None:
        figures["protocols"][protocol] += 1
    if transport in ("tcp", "udp") and row.nth(f"{transport}.dstport") is not None:
        figures[transport][row.nth(f"{transport}.dstport")] += 1
    if transport == "tcp" and row.nth("tcp.flags") is not None:
        figures["tcp_flags"][letters(int(row.nth("tcp.flags"), 0) & 0xff)] += 1
    if transport in ("icmp", "icmpv6") and row.nth(f"{transport}.code") is not None:
        figures[transport][row.nth(f"{transport}.type") + "/" + row.nth(f"{transport}.code")] += 1


def count(profile, pcap):
    """{figure: {key: packets}} of a capture."""
    argv = ["tshark", "-n", "-r", pcap, "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    for name, value in PREFERENCES.items():
        argv += ["-o", f"{name}:{value}"]
    for field in FIELDS:
        argv += ["-e", field]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=RUN_S, check=False,
                          env=dict(os.environ, WIRESHARK_CONFIG_DIR=profile, LC_ALL="C.UTF-8"))
    if done.returncode not in (0, 2):  # 2: cut short in the middle of a packet, after telling those before
        raise AssertionError(f"tshark ended with status {done.returncode}: {done.stderr.strip()}")
    figures = {name: Counter() for name in FIGURES}
    for line in done.stdout.splitlines():
        book(figures, Row(line))
    return {name: dict(counts) for name, counts in figures.items()}


def ours(object_):
    """The same figures of an object that `airglow replay --json` printed."""
    return {
        "received": {"": object_["received"]},
        "protocols": {k: v for k, v in object_["protocols"].items() if v},
        "tcp": object_["ports"]["tcp"], "udp": object_["ports"]["udp"], "tcp_flags": object_["tcp_flags"],
        "icmp": object_["icmp"], "icmpv6": object_["icmpv6"],
    }


def minus(left, right):
    """left - right as {(figure, key): difference}, without what is equal."""
    result = {}
    for figure in FIGURES:
        for key in set(left[figure]) | set(right[figure]):
            difference = left[figure].get(key, 0) - right[figure].get(key, 0)
            if difference:
                result[figure, key] = difference
    return result
