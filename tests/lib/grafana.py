# SPDX-License-Identifier: GPL-2.0-only
"""The dashboards of tools/grafana, read as Grafana reads them: variables become values, intervals become durations,
queries are asked for a range or an instant. Knows Grafana's rules and no figure of airglow."""
import glob
import json
import os
import re

from sensor import ROOT

DIRECTORY = os.path.join(ROOT, "tools", "grafana")
RANGE_POINTS = 400  # about what a panel has pixels for


def boards():
    """{file name: dashboard}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(DIRECTORY, "*.json"))):
        with open(path, encoding="utf-8") as f:
            found[os.path.basename(path)] = json.load(f)
    return found


def panels(board):
    """All that are no rows, those of collapsed rows too."""
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def escape(value):
    """A value inside a matcher of regular expressions, as Grafana's Prometheus data source writes it."""
    return re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))


def chosen(variable, values):
    """What ${variable} becomes when everything is chosen that can be."""
    if variable["multi"]:
        if variable.get("allValue"):
            return variable["allValue"]
        escaped = [escape(value) for value in values]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
    return variable["current"]["value"]


def interpolate(text, values):
    """$name and ${name} by `values`; what is left over is an error."""
    def value(found):
        name = found[1] or found[2]
        if name not in values:
            raise AssertionError(f"no value for ${name} in: {text}")
        return values[name]
    return re.sub(r"\$(?:(\w+)|\{(\w+)(?::\w+)?\})", value, text)


def times(seconds, scrape_s=1):
    """Grafana's own variables for a range of so many seconds."""
    interval = max(scrape_s, seconds // RANGE_POINTS)
    return {"__interval": f"{interval}s", "__interval_ms": str(interval * 1000), "__range": f"{seconds}s",
            "__range_s": str(seconds), "__range_ms": str(seconds * 1000),
            "__rate_interval": f"{max(interval + scrape_s, 4 * scrape_s)}s"}


LABEL_VALUES = re.compile(r"label_values\((?:(.*),)?\s*(\w+)\)$")


def variable_values(variable, values, server):
    """The values of a query variable, asked of Prometheus."""
    query = interpolate(variable["query"]["query"], values)
    selector, label = LABEL_VALUES.match(query).groups()
    return server.label_values(label, selector)


def resolve(board, server, seconds, fixed):
    """{name: text} for every variable of a dashboard, in their order, since later ones use earlier ones; and {name: values}
    of those that are queries."""
    values, found = dict(times(seconds), **fixed), {}
    for variable in board["templating"]["list"]:
        name = variable["name"]
        if variable["type"] != "query":
            continue
        found[name] = variable_values(variable, values, server)
        values[name] = chosen(variable, found[name])
    return values, found


def queries(board):
    """(panel, target) of every query."""
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel, target
