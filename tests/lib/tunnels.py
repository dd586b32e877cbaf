# SPDX-License-Identifier: GPL-2.0-only
"""The sensor that tools/ibr/scenarios/tunnels.yaml is written for: what it opens, and what is dark behind it."""
import os

DARK = "198.51.100.0/24,203.0.113.0/24,2001:db8:64::/48"
CONFIG = """dark:
  - prefixes: [198.51.100.0/24, 203.0.113.0/24, "2001:db8:64::/48"]
decap:
  - {type: gre, from: 192.0.2.1/32, to: 192.0.2.200, key: 7}
  - {type: erspan, from: 192.0.2.2/32, to: 192.0.2.200, key: 9}
  - {type: vxlan, from: 192.0.2.3/32, to: 192.0.2.200, key: 4096}
  - {type: ipip, from: 192.0.2.4/32, to: 192.0.2.200}
  - {type: gre, from: "2001:db8:ffff::1/128", to: "2001:db8:ffff::200"}
"""


def write_config(directory, text=CONFIG):
    path = os.path.join(directory, "tunnels-sensor.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path
