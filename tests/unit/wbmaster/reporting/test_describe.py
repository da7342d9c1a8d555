"""wbmaster.reporting.describe: runs in words."""

import re

import pytest
from cluster import World, request, settings
from rehearsal import staged
from wbmaster.reporting import describe


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS220", "WS221")


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (12_345_678, "12.3 MB"),
        (5e9, "5.0 GB"),
        (2.5e13, "25000.0 GB"),
        (-2048, "-2.0 kB"),
    ],
)
def test_size_is_what_people_read(count, told):
    assert describe.size(count) == told


def test_plan_of_nothing_is_nothing():
    assert describe.plan(None) == ""


def test_plan_says_what_moves_and_what_is_switched(desk):
    desk.nodes.world.absent = ("wb-web2",)
    lines = describe.plan(desk.plan(request("release", "WS221"))).splitlines()

    assert lines[0] == "orch.release {build: WS221}"
    assert lines[1].startswith("release WS221-") and "live now: WS220-" in lines[1]
    assert lines[2] == "left out, since they do not answer: wb-web2"
    assert "wb-gb1 lacks 1.0 kB: mysql/c_elegans_WS221" in lines
    assert "wb-gb1 switches mysql/c_elegans" in lines
    assert lines[-1] == "to announce: publish, post, mail"


def test_plan_of_a_push_names_no_release(desk):
    told = describe.plan(desk.plan(request("push", "WS221")))

    assert "release WS" not in told and "switches" not in told


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("release", "-0.02-1350 is already live; nothing to do."),
        ("push", "WS221 is on every node already; nothing to do."),
        ("announce", "-0.02-1350 is announced already; nothing to do."),
    ],
)
def test_plan_of_what_is_done_says_so(desk, kind, says):
    desk.run(request("release", "WS221"))

    assert describe.plan(desk.plan(request(kind, "WS221"))).endswith(says)


def test_summary_is_a_line_a_step_and_then_what_is_live(desk):
    lines = desk.run(request("release", "WS221")).splitlines()

    assert lines[0].startswith("seal: 0.")
    assert any(line.startswith("push_mysql: ") and "500 B received" in line for line in lines)
    assert lines[-3].startswith("it took 0.") and "500 B received" not in lines[-3]
    assert re.fullmatch(r"to go back to WS220-\S+: orch.rollback", lines[-2])
    assert lines[-1] == f"{desk.live} is live."


def test_summary_has_what_the_run_cost_and_no_way_back_from_a_way_back(desk):
    desk.run(request("release", "WS221"))
    lines = desk.run(request("rollback")).splitlines()

    assert lines[-1].startswith("WS220-")
    assert not any(line.startswith("to go back") for line in lines)
