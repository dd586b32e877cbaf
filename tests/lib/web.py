# SPDX-License-Identifier: GPL-2.0-only
"""HTTPS around a sensor: certificates by openssl, passwords by htpasswd, requests from any address of this host. Tests
that use it live in a network namespace of their own, where no port is taken and addresses can be added."""
import base64
import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time

from live import START_S, Sensor, sh
from sensor import AIRGLOW

FAR = tuple(f"198.51.100.{n}" for n in range(1, 9))  # addresses of this host that are not the loopback one


def in_namespace():
    """Starts the test again in a namespace of its own; returns there."""
    if not os.environ.get("AIRGLOW_WEB_NAMESPACE"):
        os.execvpe("unshare", ["unshare", "-n", sys.executable, *sys.argv], dict(os.environ, AIRGLOW_WEB_NAMESPACE="1"))
    sh("ip", "link", "set", "lo", "up")
    for address in FAR:
        sh("ip", "address", "add", f"{address}/32", "dev", "lo")


class Authority:
    """A certificate authority in a directory."""

    def __init__(self, directory, name="ca"):
        self.directory, self.file = directory, os.path.join(directory, f"{name}.pem")
        self.key = os.path.join(directory, f"{name}.key")
        sh("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
           "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.file)

    def issue(self, name, days=30, usage="serverAuth"):
        """NAME.pem and NAME.key for localhost and all addresses of this host; days below 0: it has expired."""
        path = os.path.join(self.directory, name)
        with open(path + ".ext", "w", encoding="utf-8") as f:
            f.write("subjectAltName=DNS:localhost," + ",".join(f"IP:{a}" for a in ("127.0.0.1", *FAR)) +
                    f"\nextendedKeyUsage={usage}\n")
        sh("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
           f"/CN={name}", "-keyout", path + ".key", "-out", path + ".csr")
        sh("openssl", "x509", "-req", "-in", path + ".csr", "-CA", self.file, "-CAkey", self.key, "-CAcreateserial",
           "-days", str(days), "-extfile", path + ".ext", "-out", path + ".pem")
        return path + ".pem", path + ".key"


def bcrypt(password, cost=5):
    """As Apache's htpasswd makes it."""
    return sh("htpasswd", "-nbBC", str(cost), "", password).strip().lstrip(":")


def replace(path, text):
    """As careful tools do it: whole, under its name, at once."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(path + ".new", path)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=10):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def trust(authority, client=None, most=None):
    """A client's TLS: who it trusts, what it is known by, the newest version it speaks."""
    context = ssl.create_default_context(cafile=authority.file)
    if client:
        context.load_cert_chain(*client)
    if most:
        context.maximum_version = most
    return context


class Answer:
    def __init__(self, answer):
        self.status, self.headers = answer.status, {k.lower(): v for k, v in answer.getheaders()}
        self.body = answer.read()

    def json(self):
        return json.loads(self.body)


def ask(connection, path, user=None, method="GET", **headers):
    """One request on a connection; user: NAME:PASSWORD."""
    if user is not None:
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
    connection.request(method, path, headers=headers)
    return Answer(connection.getresponse())


class WebSensor(Sensor):
    """`airglow run` that listens where it is told; also on a unix socket, by which it is ready."""

    def __init__(self, world, port, listen, *options):
        self.port, self.unix = port, world.path(f"http-{port}.sock")
        self.log = open(world.path(f"sensor-{port}.log"), "w+", encoding="utf-8")
        words = [w for a in (*listen, f"unix:{self.unix}") for w in ("--listen", a)]
        self.process = subprocess.Popen([AIRGLOW, "run", "--netns", world.eye, "--iface", "eye0", "--feed", "routed",
                                         "--dark", "198.18.0.0/16", *words, *options], stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        world.sensors.append(self)
        self.wait_ready()

    def get(self, path, **headers):
        connection = UnixConnection(self.unix)
        try:
            answer = ask(connection, path, **headers)
        finally:
            connection.close()
        if answer.status != 200:
            raise OSError(f"{path}: status {answer.status}")
        return answer.body.decode()

    def https(self, context, address="127.0.0.1", source=None, timeout=20):
        return http.client.HTTPSConnection(address, self.port, timeout=timeout, context=context,
                                           source_address=(source, 0) if source else None)

    def ask(self, context, path, user=None, address="127.0.0.1", source=None, **headers):
        """One request on a connection of its own."""
        connection = self.https(context, address, source)
        try:
            return ask(connection, path, user, **headers)
        finally:
            connection.close()


def until(good, seconds=START_S):
    """Asks until the answer is good, for at most so long; the last answer."""
    end = time.monotonic() + seconds
    while True:
        answer = good()
        if answer or time.monotonic() >= end:
            return answer
        time.sleep(0.2)


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon:"))


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))
