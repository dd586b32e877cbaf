#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Small servers and clients of a host that lives: python3 peers.py ROLE ARGUMENT... Says "ready" when it listens.

    http ADDRESS PORT           answers each request with a page, and closes
    dns ADDRESS                 answers every question with 192.0.2.1
    ntp ADDRESS                 the time
    echo ADDRESS PORT           sends back what comes by UDP, three times (a conversation, as QUIC has)
    visit ADDRESS PORT COUNT    COUNT requests, each from another address of 10.8.0.0/16
    talk ADDRESS PORT COUNT     COUNT conversations with `echo` by connected UDP sockets
"""
import socket
import struct
import sys
import threading
import time

PAGE = b"x" * 5000
FROM_1900_S = 2208988800
AT_ONCE = 16


def bound(kind, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, int(port)))
    return s


def ready():
    print("ready", flush=True)


def read_to(s, mark=None):
    """What comes up to the mark, or up to the end."""
    got = b""
    while mark is None or mark not in got:
        more = s.recv(65536)
        if not more:
            break
        got += more
    return got


def answer_http(s):
    with s:
        if read_to(s, b"\r\n\r\n"):
            s.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE))
            s.shutdown(socket.SHUT_WR)
            read_to(s)


def http(address, port):
    s = bound(socket.SOCK_STREAM, address, port)
    s.listen(512)
    ready()
    while True:
        threading.Thread(target=answer_http, args=(s.accept()[0],), daemon=True).start()


def dns(address):
    s = bound(socket.SOCK_DGRAM, address, 53)
    ready()
    while True:
        question, peer = s.recvfrom(4096)
        end = 12 + question[12:].index(b"\0") + 5
        s.sendto(question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + question[12:end]
                 + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", peer)


def ntp(address):
    s = bound(socket.SOCK_DGRAM, address, 123)
    ready()
    while True:
        question, peer = s.recvfrom(4096)
        now = time.time() + FROM_1900_S
        stamp = struct.pack(">II", int(now), int(now % 1 * 2 ** 32))
        s.sendto(struct.pack(">BBbbII4s", 0x24, 1, 6, -20, 0, 0, b"LOCL") + stamp + question[40:48] + stamp + stamp, peer)


def echo(address, port):
    s = bound(socket.SOCK_DGRAM, address, port)
    ready()
    while True:
        data, peer = s.recvfrom(4096)
        for _ in range(3):
            s.sendto(data, peer)


def visit(address, port, count):
    """A page for each of so many visitors."""
    def one(first):
        for number in range(first, int(count), AT_ONCE):
            s = socket.socket()
            s.settimeout(30)
            s.bind((f"10.8.{number // 250}.{number % 250 + 1}", 0))
            s.connect((address, int(port)))
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert read_to(s).endswith(PAGE)
            s.close()
            pages.append(number)

    pages = []
    threads = [threading.Thread(target=one, args=(first,)) for first in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pages) == int(count), f"{len(pages)} pages of {count}"


def talk(address, port, count):
    for _ in range(int(count)):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.settimeout(10)
        s.connect((address, int(port)))
        for turn in range(3):
            s.send(b"%d" % turn)
            for _ in range(3):
                assert s.recv(4096) == b"%d" % turn
        s.close()


ROLES = {role.__name__: role for role in (http, dns, ntp, echo, visit, talk)}

if __name__ == "__main__":
    ROLES[sys.argv[1]](*sys.argv[2:])
