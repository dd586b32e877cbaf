# SPDX-License-Identifier: GPL-2.0-only
"""Debian's Prometheus and Alertmanager, each with a directory of its own and a port that was free, and a receiver of what
the Alertmanager tells."""
import http.server
import json
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from live import free_port, stop

READY_S = 60


class Daemon:
    """One of both: started, waited for, ended."""

    def __init__(self, name, path, command, port):
        self.name, self.url = name, f"http://127.0.0.1:{port}"
        self.log = open(path(name + ".log"), "w", encoding="utf-8")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + READY_S
        while True:
            try:
                with urllib.request.urlopen(self.url + "/-/ready", timeout=5):
                    return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.close()
                    with open(self.log.name, encoding="utf-8") as f:
                        raise AssertionError(f"{name} does not start: {f.read()[-2000:]}") from None
                time.sleep(0.1)

    def reload(self):
        urllib.request.urlopen(urllib.request.Request(self.url + "/-/reload", method="POST"), timeout=20).close()

    def close(self):
        stop(self.process)
        self.log.close()


class Prometheus(Daemon):
    def __init__(self, path, config):
        port = free_port()
        super().__init__("prometheus", path, ["prometheus", f"--config.file={config}", "--log.level=warn", "--web.enable-lifecycle",
                                              f"--storage.tsdb.path={path('tsdb')}", f"--web.listen-address=127.0.0.1:{port}",
                                              "--rules.alert.resend-delay=1s", "--rules.alert.for-grace-period=0s"], port)

    def ask(self, path, **parameters):
        pairs = [(key, v) for key, value in parameters.items() for v in (value if isinstance(value, list) else [value])]
        request = urllib.request.Request(f"{self.url}/api/v1/{path}?" + urllib.parse.urlencode(pairs))
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode(errors='replace')}") from None

    def instant(self, expression):
        """[(labels, value)] now; of a number alone too."""
        data = self.ask("query", query=expression)
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(row["metric"], float(row["value"][1])) for row in data["result"]]

    def range(self, expression, seconds, step):
        """[(labels, [values])] of the last seconds."""
        now = time.time()
        data = self.ask("query_range", query=expression, start=now - seconds, end=now, step=step)
        return [(row["metric"], [float(v) for _, v in row["values"]]) for row in data["result"]]

    def number(self, expression):
        rows = self.instant(expression)
        return rows[0][1] if rows else None

    def label_values(self, label, selector=None):
        return self.ask(f"label/{label}/values", **({"match[]": selector} if selector else {}))

    def wait(self, expression, good, seconds=60):
        """Asks until the answer is good or the time is over; the last answer."""
        end, value = time.monotonic() + seconds, None
        while time.monotonic() < end:
            value = self.number(expression)
            if value is not None and good(value):
                break
            time.sleep(0.5)
        return value


class Alertmanager(Daemon):
    def __init__(self, path, config, port):
        super().__init__("alertmanager", path, ["prometheus-alertmanager", f"--config.file={config}", "--log.level=warn",
                                                f"--storage.path={path('alertmanager')}", "--cluster.listen-address=",
                                                f"--web.listen-address=127.0.0.1:{port}"], port)


class Receiver:
    """What the Alertmanager tells, by the path that it tells it to: the receiver's name."""

    def __init__(self):
        told, lock = [], threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # the name is http.server's
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    told.extend((self.path.strip("/"), alert) for alert in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.told, self.lock = told, lock
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def got(self, alertname, status="firing", **labels):
        """[(receiver, alert)] of what was told so far."""
        with self.lock:
            return [(receiver, alert) for receiver, alert in self.told if alert["labels"]["alertname"] == alertname
                    and alert["status"] == status and all(alert["labels"].get(k) == v for k, v in labels.items())]

    def wait(self, alertname, status="firing", seconds=60, **labels):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.got(alertname, status, **labels):
            time.sleep(0.2)
        return self.got(alertname, status, **labels)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
