# SPDX-License-Identifier: GPL-2.0-only
"""Frames of plain pcap files, read and written with nothing but struct: for tests that count for themselves."""
import struct

MAGIC_US, MAGIC_NS = 0xA1B2C3D4, 0xA1B23C4D
LINK_ETHERNET = 1


def read(path):
    """[(time in ns, frame)] of a little-endian pcap file, as ibr writes them."""
    with open(path, "rb") as f:
        data = f.read()
    magic = struct.unpack_from("<I", data)[0]
    if magic not in (MAGIC_US, MAGIC_NS):
        raise AssertionError(f"{path} is no little-endian pcap file")
    unit, at, frames = 1 if magic == MAGIC_NS else 1000, 24, []
    while at < len(data):
        seconds, part, caplen, _ = struct.unpack_from("<IIII", data, at)
        frames.append((seconds * 10**9 + part * unit, data[at + 16:at + 16 + caplen]))
        at += 16 + caplen
    return frames


def header(link=LINK_ETHERNET, snaplen=65535):
    return struct.pack("<IHHiIII", MAGIC_NS, 2, 4, 0, 0, snaplen, link)


def record(time_ns, frame):
    return struct.pack("<IIII", time_ns // 10**9, time_ns % 10**9, len(frame), len(frame)) + frame


def write(path, frames, link=LINK_ETHERNET):
    """frames: [(time in ns, frame)]"""
    with open(path, "wb") as f:
        f.write(header(link) + b"".join(record(time_ns, frame) for time_ns, frame in frames))
    return path


def ethernet(network, ethertype):
    """A frame around a network packet."""
    return bytes.fromhex("020000000002020000000001") + struct.pack(">H", ethertype) + network


def ipv4(protocol, source, destination, transport, ttl=64, ident=1, options=b""):
    """An IPv4 packet; addresses as ipaddress objects. The header's checksum is left 0: nothing here looks at it."""
    words = 5 + len(options) // 4
    return struct.pack(">BBHHHBBH", 0x40 | words, 0, words * 4 + len(transport), ident, 0, ttl, protocol, 0) + \
        source.packed + destination.packed + options + transport


def ipv6(protocol, source, destination, transport, hops=64):
    return struct.pack(">IHBB", 0x60000000, len(transport), protocol, hops) + source.packed + destination.packed + transport


def tcp(sport, dport, flags=2, seq=1, window=1024):
    return struct.pack(">HHIIBBHHH", sport, dport, seq, 0, 0x50, flags, window, 0, 0)


def udp(sport, dport, payload=b""):
    return struct.pack(">HHHH", sport, dport, 8 + len(payload), 0) + payload
