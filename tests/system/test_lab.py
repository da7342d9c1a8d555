"""The lab keeps its own promises."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from typing import Any

from labclient import Lab

NODES = {"salt", "wb-dev", "fe", "wb-web1", "wb-web2", "wb-mining", "wb-gb1", "canopus"}


def test_status_lists_every_node_with_its_minion(lab: Lab) -> None:
    nodes = lab.status()
    assert set(nodes) == NODES
    assert all(node["up"] and node["minion"] for node in nodes.values())
    assert {name for name, node in nodes.items() if node["site"] == "remote"} == {"canopus"}
    assert len({node["address"] for node in nodes.values()}) == len(NODES)


def test_exec_passes_output_and_exit_code(lab: Lab) -> None:
    done = lab.exec("wb-gb1", "sh", "-c", "hostname; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "wb-gb1\n", "")


def test_unknown_node_is_refused(lab: Lab) -> None:
    done = lab.cli("crash", "nobody")
    assert done.returncode != 0
    assert "Traceback" not in done.stderr


def test_up_again_changes_nothing(lab: Lab) -> None:
    booted = ("systemctl", "show", "-P", "UserspaceTimestampMonotonic")
    before = lab.exec("fe", *booted).stdout
    lab.do("up")
    assert lab.exec("fe", *booted).stdout == before != ""


def test_old_cluster_is_refused_where_another_lab_is(lab: Lab) -> None:
    refused = lab.cli("up", "--old")
    assert refused.returncode == 1
    assert "bin/lab down" in refused.stderr
    assert all(node["minion"] for node in lab.status().values())


def test_crash_ends_every_process_and_keeps_the_disk(lab: Lab) -> None:
    lab.exec("wb-gb1", "sh", "-c", "echo kept >/usr/local/kept; echo kept >/root/kept; sync")
    number = ("stat", "-c", "%d %i", "/usr/local/kept")
    inode = lab.exec("wb-gb1", *number).stdout
    lab.do("crash", "wb-gb1")
    assert lab.status()["wb-gb1"] | {"address": ""} == {
        "address": "", "site": "local", "up": False, "minion": False,
    }  # fmt: skip
    assert lab.exec("wb-gb1", "true").returncode != 0
    lab.do("start", "wb-gb1")
    assert lab.status()["wb-gb1"]["minion"]
    assert lab.exec("wb-gb1", "systemctl", "is-active", "mariadb").returncode == 0
    assert lab.exec("wb-gb1", "cat", "/usr/local/kept", "/root/kept").stdout == "kept\nkept\n"
    assert lab.exec("wb-gb1", *number).stdout == inode
    lab.exec("wb-gb1", "rm", "/usr/local/kept", "/root/kept")


def test_start_of_the_master_returns_with_all_minions(lab: Lab) -> None:
    lab.do("crash", "salt")
    lab.do("start", "salt")
    assert all(node["minion"] for node in lab.status().values())


def test_cut_node_reaches_nobody_until_healed(lab: Lab) -> None:
    ask = ("timeout", "2", "bash", "-c", "exec 3<>/dev/tcp/salt/4505")
    lab.do("cut", "canopus")
    try:
        assert lab.exec("canopus", *ask).returncode != 0
        assert lab.status()["canopus"]["up"]
        assert not lab.status()["canopus"]["minion"]
    finally:
        lab.do("heal", "canopus")
    assert lab.exec("canopus", *ask).returncode == 0


def test_link_to_the_remote_site_is_slow_and_counted(lab: Lab) -> None:
    lab.exec("wb-dev", "truncate", "-s", "10M", "/tmp/ten")
    began = time.monotonic()
    copy = ("bash", "-c", "exec 3<>/dev/tcp/canopus/9000; cat /tmp/ten >&3")
    sink = "import socket; s = socket.create_server(('', 9000)); c = s.accept()[0]\n" \
           "while c.recv(65536): pass"  # fmt: skip
    words = [str(lab.checkout / "bin/lab"), "exec", "canopus", "python3", "-c", sink]
    before = wan(lab)
    with subprocess.Popen(words) as receiver:
        time.sleep(1)
        began = time.monotonic()
        assert lab.exec("wb-dev", *copy).returncode == 0
        receiver.wait(30)
    assert 1.5 <= time.monotonic() - began <= 8
    after = wan(lab)
    sent, received = (after[site] - before[site] for site in ("local", "remote"))
    assert 10 * 2**20 <= sent <= 13 * 2**20
    of_node = after["nodes"]["canopus"] - before["nodes"]["canopus"]
    assert 0.98 * (sent + received) <= of_node <= sent + received


def wan(lab: Lab) -> dict[str, Any]:
    """What has crossed the link, by the site that sent it and by the node across it."""
    carried: dict[str, Any] = json.loads(lab.do("wan"))
    return carried


def test_two_checkouts_each_have_a_lab_that_grows_and_down_leaves_nothing(
    lab: Lab, other: Lab, machine: Callable[[], dict[str, list[str]]]
) -> None:
    before = machine()
    other.do("up", "--bare", "--disk", "300")
    addresses = {node["address"] for node in other.status().values()}
    assert not addresses & {node["address"] for node in lab.status().values()}
    size = other.exec("fe", "df", "--output=size", "--block-size=1M", "/usr/local").stdout
    assert 200 < int(size.split()[-1]) <= 300

    other.do("add", "canopus2", "--like", "canopus")
    node = other.status()["canopus2"]
    assert (node["site"], node["up"], node["minion"]) == ("remote", True, True)
    for old in NODES:
        asked = other.exec(old, "getent", "hosts", "canopus2")
        assert asked.stdout.split() == [node["address"], "canopus2"]
    other.do("cut", "canopus2")
    assert not other.status()["canopus2"]["minion"]
    other.do("heal", "canopus2")
    other.do("crash", "canopus2")
    assert not other.status()["canopus2"]["up"]
    other.do("up", "--bare")
    other.do("add", "canopus2", "--like", "canopus")
    assert other.status()["canopus2"] == node
    assert other.cli("add", "fe", "--like", "canopus").returncode == 1

    other.do("down")
    assert machine() == before
    assert all(node["minion"] for node in lab.status().values())


def test_logs_of_a_node_show_its_journal_also_when_it_is_down(lab: Lab) -> None:
    lab.exec("wb-gb1", "systemd-cat", "echo", "a line of the journal")
    assert "a line of the journal" in lab.do("logs", "wb-gb1")
    lab.exec("wb-gb1", "journalctl", "--sync")
    lab.do("crash", "wb-gb1")
    try:
        assert "a line of the journal" in lab.do("logs", "wb-gb1")
    finally:
        lab.do("start", "wb-gb1")


def test_down_after_the_launchers_were_killed_leaves_nothing(
    other: Lab, machine: Callable[[], dict[str, list[str]]]
) -> None:
    before = machine()
    words = [str(other.checkout / "bin/lab"), "up", "--bare"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        time.sleep(4)
        up.kill()
    other.do("down")
    assert machine() == before
