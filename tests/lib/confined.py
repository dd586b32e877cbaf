# SPDX-License-Identifier: GPL-2.0-only
"""What build/tests/confine_driver should tell of a process that gave up its rights as the sensor does. Judges the
driver's lines, on this machine or from a guest."""

NEEDED = ("write_state", "read_configuration", "read_sysctl", "read_own_status", "read_sys", "thread", "grace_period",
          "events", "update_map", "describe_map", "ask_driver", "ask_routes", "read_clock_state", "accept",
          "read_public_there")
REFUSED = {"setuid": "EPERM", "setgroups": "EPERM", "raise_capability": "EPERM", "dumpable": "EPERM", "fork": "EPERM",
           "clone3": "ENOSYS", "signal_parent": "EPERM", "tcp_socket": "EPERM", "listen": "EPERM",
           "netfilter_socket": "EPERM", "write_and_execute": "EPERM", "make_executable": "EPERM",
           "create_link": "EPERM", "find_map": "EPERM", "set_clock": "EPERM", "type_for_user": "EPERM",
           "give_file_away": "EPERM", "limit_others": "EPERM", "read_secret": "EACCES"}
CLOSED = ("write_elsewhere", "create_elsewhere", "read_elsewhere", "remove_elsewhere", "write_configuration")
DEADLY = ("execute", "trace", "read_memory", "create_map", "load_program", "raw_socket", "packet_socket", "mount",
          "new_namespace", "other_namespace", "load_module", "change_root", "measure_kernel", "io_uring", "keyring",
          "foreign_call")


def read_outcomes(text):
    """(ABI of Landlock, {act: outcome})"""
    outcomes = dict(line.split("\t") for line in text.splitlines() if "\t" in line)
    return int(outcomes.pop("landlock", "0")), outcomes


def expected(landlock):
    """{act: outcome} of a confined process; without Landlock nothing is said of what it alone closes."""
    return {**dict.fromkeys(NEEDED, "done"), **REFUSED, **dict.fromkeys(DEADLY, "killed"),
            **(dict.fromkeys(CLOSED, "EACCES") if landlock else {})}


def differences(text):
    """Lines that tell what is not as it should be; none: all is well."""
    landlock, outcomes = read_outcomes(text)
    want = expected(landlock)
    odd = [f"{act}: {outcomes.get(act)}, wanted {outcome}" for act, outcome in want.items() if outcomes.get(act) != outcome]
    return odd + [f"{act}: nothing is known of it" for act in outcomes if act not in want and act not in CLOSED]
