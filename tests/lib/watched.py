# SPDX-License-Identifier: GPL-2.0-only
"""A sensor under tools/ibr that a real Prometheus watches by tools/prometheus, every second; and what the dashboards and
the rules get from it."""
import math
import os
import re
import subprocess
import time

import yaml

import grafana
import promql
from live import EYE_MAC, free_port, stop
from prometheus import Prometheus
from sensor import IBR, ROOT

PROMETHEUS = os.path.join(ROOT, "tools", "prometheus")
INSTALLED = "/usr/share/airglow/prometheus/"
PORT = free_port()
OTHERS = {"up", "ALERTS", "scrape_duration_seconds", "scrape_samples_scraped"}  # series that Prometheus makes itself
ALERTS_HAS = {"alertname", "alertstate", "severity", "job", "instance"}
POINTS_LEAST = 5  # of a range: it is a line, no dot


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def rules(name):
    """The rules of a file of tools/prometheus."""
    return [rule for group in yaml.safe_load(read(os.path.join(PROMETHEUS, name)))["groups"] for rule in group["rules"]]


def scrape_config(world, alertmanager=None, rules_in=PROMETHEUS, port=PORT):
    """The example configuration, of this sensor, every second."""
    config = yaml.safe_load(read(os.path.join(PROMETHEUS, "prometheus.yml")).replace(INSTALLED, rules_in + os.sep))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager] if alertmanager else []
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{port}"]
    return write(world.path("prometheus.yml"), yaml.safe_dump(config))


class Rain:
    """Internet background radiation on sky0 until it is stopped."""

    def __init__(self, world, rate, *options, dark="198.18.0.0/16"):
        self.process = subprocess.Popen(["ip", "netns", "exec", world.sky, IBR, "--live", "sky0", "--dst-mac", EYE_MAC, "--dark", dark,
                                         "--rate", str(rate), "--seconds", "3600", "--truth-sources", "0", *options],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        stop(self.process)


def exported(sensor):
    """The names in /metrics, as its TYPE lines have them."""
    return set(re.findall(r"^# TYPE (\S+) ", sensor.get("/metrics"), re.MULTILINE))


def test_names(t, server, sensor):
    """No expression names a series, a label or a label's value that the sensor has not."""
    known = exported(sensor) | OTHERS
    lost = "|".join(re.findall(r'^NIC_KIND\(\w+, "(\w+)", 1,', read(os.path.join(ROOT, "user", "collect", "nic.def")), re.MULTILINE))
    asked = {f"{name}: {panel['title']} {target['refId']}": target["expr"] for name, board in grafana.boards().items()
             for panel, target in grafana.queries(board)}
    asked |= {rule.get("alert") or rule["record"]: rule["expr"] for file in ("airglow-alerts.yml", "airglow-recording.yml") for rule in rules(file)}
    for name, board in grafana.boards().items():
        asked |= {f"{name}: annotation {note['name']}": note["expr"] for note in board["annotations"]["list"] if "expr" in note}
        asked |= {f"{name}: ${variable['name']}": grafana.LABEL_VALUES.match(variable["query"]["query"])[1]
                  for variable in board["templating"]["list"] if variable["type"] == "query"}
    unknown, labels, values = {}, {}, {}
    for what, expression in asked.items():
        unknown[what] = promql.names(expression) - known
        has = {label for name in promql.names(expression) for labels_, _ in server.instant(name) for label in labels_}
        has |= ALERTS_HAS if "ALERTS" in promql.names(expression) else set()  # there may be none
        labels[what] = (promql.grouped(expression) | {m[1] for m in promql.matchers(expression)}) - has
        values[what] = missing_values(server, expression, lost)
    for what, found in (("series", unknown), ("label", labels), ("label value", values)):
        t.same({name: left for name, left in found.items() if left}, {}, f"{len(asked)} expressions name no {what} that does not exist")


def missing_values(server, expression, lost):
    """Values in matchers that no series has. Not every driver has every counter: there, it is all kinds that mean loss."""
    missing = set()
    for name, label, _, text in promql.matchers(expression):
        if "$" in text or text.endswith(".+"):
            continue
        if label == "counter":
            missing |= {text} if text != lost else set()
        elif label not in ("job", "alertstate"):
            missing |= {value for value in text.split("|") if not server.instant(f'{name}{{{label}="{value}"}}')}
    return missing


def ask(server, panel, target, values, seconds):
    """What Grafana gets of a query: rows of labels and numbers."""
    expression = grafana.interpolate(target["expr"], values)
    if target["range"]:
        return server.range(expression, seconds, values["__interval"])
    return [(labels, [value]) for labels, value in server.instant(expression)]


def query_faults(server, panel, target, values, seconds):
    """Why a panel would show nothing, or something without a name."""
    rows = ask(server, panel, target, values, seconds)
    least = min(POINTS_LEAST, seconds) if target["range"] else 1
    full = [labels for labels, numbers in rows if sum(math.isfinite(n) for n in numbers) >= least]
    if not full:
        yield f"{target['refId']}: no data: {target['expr']}"
    wanted = promql.templates(target["legendFormat"])
    if panel["type"] == "table":
        columns = next(step["options"]["indexByName"] for step in panel["transformations"] if step["id"] == "organize")
        wanted |= {column for column in columns if not column.startswith("Value")} if target["refId"] == "A" else set()
    yield from (f"{target['refId']}: no label {label} for its legend or column" for label in wanted for has in full if label not in has)


def test_boards(t, server, seconds):
    """Every variable has values, and every query of every panel data."""
    for name, board in grafana.boards().items():
        values, found = grafana.resolve(board, server, seconds, {"datasource": "prometheus"})
        t.same([variable for variable, its in found.items() if not its], [], f"{name}: variables have values: {', '.join(found)}")
        bad = {f"{panel['title']} {target['refId']}": list(query_faults(server, panel, target, values, seconds))
               for panel, target in grafana.queries(board)}
        count = len(list(grafana.queries(board)))
        t.same({title: faults for title, faults in bad.items() if faults}, {}, f"{name}: {count} queries return data")


def test_recording(t, server):
    names = [rule["record"] for rule in rules("airglow-recording.yml")]
    empty = [name for name in names if not any(math.isfinite(value) for _, value in server.instant(name))]
    t.same(empty, [], f"{len(names)} recording rules return data")


def test_health(t, server):
    """Prometheus evaluates every rule, and has nothing to say about it."""
    found = [rule for group in server.ask("rules")["groups"] for rule in group["rules"]]
    wanted = len(rules("airglow-alerts.yml")) + len(rules("airglow-recording.yml"))
    t.same((len(found), [(rule["name"], rule.get("lastError")) for rule in found if rule["health"] != "ok"]), (wanted, []),
           f"{wanted} rules are evaluated without an error")


def sleep(server, seconds):
    """So long at least from the first scrapes on, which may take a while, and over a full minute of the clock: what is asked
    by the minute ([1h:1m]) has a point then."""
    server.wait("count_over_time(up[1m])", lambda scrapes: scrapes >= POINTS_LEAST)
    begin = time.time()
    minute = (begin + 5) // 60 * 60 + 60
    time.sleep(max(seconds, minute + POINTS_LEAST + 3 - begin))


def start(world, *options, alertmanager=None, rules_in=PROMETHEUS):
    """A sensor and its Prometheus."""
    sensor = world.sensor(*options, port=PORT)
    return sensor, Prometheus(world.path, scrape_config(world, alertmanager, rules_in))
