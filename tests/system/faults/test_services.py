"""systemd on the nodes: what dies is back by itself, and the project's own units are confined."""

from __future__ import annotations

import json
import re
import time

import pytest
from glance import live, pool
from labclient import Lab
from site_of import GENE, Visitors, eventually, kill, whole

# Less than a second on a machine with nothing else to do; the master takes four.
BACK_SECONDS = 15
# Of these the site needs one there, or all pages of a node.
SERVING = (
    ("fe", "nginx"),
    ("fe", "wormbase-haproxy"),
    ("wb-web1", "mariadb"),
    ("wb-web1", "xinetd"),
)
BESIDE = (
    ("wb-web1", "wormbase-starman"),
    ("wb-web1", "wormbase-carrier"),
    ("wb-web1", "wormbase-report"),
    ("fe", "wormbase-keeper"),
    ("wb-web1", "salt-minion"),
    ("salt", "salt-master"),
)
OWN = {
    "wb-web1": ["wormbase-starman", "wormbase-carrier", "wormbase-report", "xinetd"],
    "fe": ["wormbase-keeper", "wormbase-haproxy"],
    "salt": ["wormbase-run@1", "wormbase-board"],
}
UNIT = "being-started"
# xinetd starts whatever else the site has it start, as whatever user.
UNCONFINED = {"xinetd"}


@pytest.mark.parametrize("which", ["main", "all"])
def test_whatever_is_killed_is_back_by_itself_and_visitors_lose_only_what_was_inside(
    lab: Lab, which: str
) -> None:
    with Visitors(lab) as visitors:
        back = {at: kill(lab, *at, which) for at in BESIDE}
    assert max(back.values()) < BACK_SECONDS, back
    assert not visitors.mixed and not visitors.late
    # A client loses what a killed Starman was just sending to it, and nothing else.
    assert len(visitors.failed) <= visitors.clients, visitors.failed


@pytest.mark.parametrize("which", ["main", "all"])
@pytest.mark.parametrize(("node", "service"), SERVING)
def test_a_server_that_is_killed_is_missed_for_a_moment_only(
    lab: Lab, node: str, service: str, which: str
) -> None:
    with Visitors(lab) as visitors:
        back = kill(lab, node, service, which)
        assert back < BACK_SECONDS
        time.sleep(2)
        missed = len(visitors.failed)
        time.sleep(1)
        assert len(visitors.failed) == missed
    # Another node answers what this one cannot; of nginx there is only one.
    assert not visitors.failed or node == "fe"
    assert not visitors.mixed and not visitors.late
    assert lab.http(GENE).status == 200


def test_acedb_s_server_that_is_killed_is_started_by_the_next_who_asks(lab: Lab) -> None:
    assert lab.exec("wb-web1", "pkill", "-9", "-x", "saceserver").returncode == 0
    asked = lab.http("/version", node="wb-web1", port=5000)
    assert asked.status == 200 and whole(asked.json)


def test_the_keeper_ends_a_page_although_a_node_does_not_answer(lab: Lab) -> None:
    # A service that was stopped instead would be started by the node's own schedule.
    report = ("wb-web2", "systemctl", "kill", "wormbase-report")
    lab.exec(*report, "--signal=STOP")
    try:
        words = ("--out=json", "fe", "wb_proxy.maintain", live(lab), "seconds=1", "patience=1")
        done = lab.exec("salt", "salt", *words)
        assert done.returncode == 0 and "until" in json.loads(done.stdout)["fe"], done.stdout
        eventually("the page is down", lambda: lab.http(GENE).status == 200, 60)
        assert pool(lab) == lab.web - {"wb-web2"}
    finally:
        lab.exec(*report, "--signal=CONT")
    lab.exec("salt", "salt", "fe", "state.apply", "--timeout=60")
    eventually("the node is back in the pool", lambda: pool(lab) == lab.web, 120)


@pytest.mark.parametrize(
    ("unit", "runs"),
    [
        (["--property=Type=notify", "--no-block", "sleep", "60"], True),
        (["--property=Restart=always", "--property=RestartSec=60", "false"], False),
    ],
    ids=["being started", "waiting to be started again"],
)
def test_a_service_that_is_being_started_counts_as_running(
    lab: Lab, unit: list[str], runs: bool
) -> None:
    lab.exec("wb-gb1", "systemd-run", f"--unit={UNIT}", *unit)
    try:
        eventually(
            "systemd is at it",
            lambda: "activating" in lab.exec("wb-gb1", "systemctl", "is-active", UNIT).stdout,
            seconds=20,
        )
        asked = ("salt", "--out=json", "--static", "wb-gb1", "wb_service.state", UNIT)
        assert json.loads(lab.exec("salt", *asked).stdout)["wb-gb1"]["running"] is runs
    finally:
        lab.exec("wb-gb1", "systemctl", "stop", UNIT)


def test_nothing_of_a_release_runs_as_root(lab: Lab) -> None:
    processes = "cat /sys/fs/cgroup/system.slice/wormbase-starman.service/cgroup.procs"
    told = lab.exec("wb-web1", "sh", "-c", f"ps -o user= -p $({processes} | paste -sd,)")
    assert set(told.stdout.split()) == {"wormbase"}


def test_the_project_s_own_units_are_confined(lab: Lab) -> None:
    exposed = {}
    for node, names in OWN.items():
        for name in names:
            told = lab.exec(node, "systemd-analyze", "security", "--no-pager", f"{name}.service")
            exposed[name] = float(re.findall(r"([0-9.]+) [A-Z]+", told.stdout)[-1])
    assert {name for name, exposure in exposed.items() if exposure > 4.0} <= UNCONFINED, exposed
