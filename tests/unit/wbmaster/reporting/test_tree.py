"""wbmaster.reporting.tree and lines: a run with its steps, out of the ledger and the events."""

import json
import time

import pytest
from cluster import World, request, settings
from rehearsal import staged
from simulated_nodes import FAIL
from wbcore import events
from wbcore.errors import StepFailed
from wbcore.printable import Moving
from wbmaster.reporting import lines, tree

STEPS = ("seal", "check_contents", "make_parcels", "push_acedb")


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


def newest(desk, moving=()):
    return tree.of(desk.ledger, desk.ledger.runs(1)[0], time.time(), moving)


def at_work(desk, *steps):
    """A run that has come to the last of these steps."""
    columns = {"id": "now", "kind": "release", "request": "{}", "build": "WS222", "pid": 1}
    forecast = json.dumps({"minutes": 0.5})
    desk.ledger.begin_run({**columns, "cause": "command", "forecast": forecast})
    for step in steps:
        desk.ledger.begin_step("now", step)
        if step != steps[-1]:
            desk.ledger.end_step("now", step, "done", {"seconds": 1, "received": 2_000_000})


def test_a_run_that_has_ended_has_its_steps_and_what_they_took(desk):
    desk.run(request("release", "WS221"))
    told = newest(desk)

    assert (told.outcome, {one.state for one in told.steps}) == ("done", {"done"})
    assert told.title.startswith("release WS221-") and told.received > 0
    assert all(one.seconds is not None and one.forecast is not None for one in told.steps)


def test_a_run_that_failed_says_where(desk):
    with pytest.raises(StepFailed):
        desk.run(request("release", "WS221"), {8: FAIL})

    assert [one.name for one in newest(desk).steps if one.state == "failed"] == ["check_contents"]


def test_a_run_at_work_has_the_steps_to_come_as_the_last_of_its_kind_took_them(desk):
    at_work(desk, *STEPS)
    told = newest(desk, [("push_acedb", Moving("canopus", "acedb/x", 1e6, 4e6, 1e6))])

    assert [one.name for one in told.steps][: len(STEPS)] == list(STEPS)
    assert {one.state for one in told.steps[len(STEPS) :]} == {"waiting"}
    assert told.steps[-1].name == "purge_old_releases"
    assert [one.node for one in told.steps[3].nodes] == ["canopus"]
    assert told.forecast == 30


@pytest.mark.parametrize("height", [5, 8, 12, 23])
@pytest.mark.parametrize("at", [1, 3, 4])
def test_lines_fit_the_screen_and_always_show_what_is_at_work(desk, height, at):
    at_work(desk, *STEPS[:at])
    nodes = [(STEPS[at - 1], Moving(f"wb-web{n}", "x", 1e8, 4e8, 1e7)) for n in range(9)]
    drawn = lines.of(newest(desk, nodes), 80, height)

    assert len(drawn) <= height and max(len(text) for _, text in drawn) <= 80
    assert any(f"▶ {STEPS[at - 1].replace('_', ' ')}" in text for _, text in drawn)
    assert any("wb-web0" in text for _, text in drawn) or "and 9 more nodes" in str(drawn)


def test_lines_of_a_run_at_work(desk):
    at_work(desk, *STEPS)
    moving = [("push_acedb", Moving("canopus", "acedb/x", 1e6, 4e6, 1e6))]
    drawn = [text.rstrip() for _, text in lines.of(newest(desk, moving), 80, 23)]

    assert drawn[0] == "release WS222  0.0 s of about 30 s  running"
    assert drawn[1].split() == ["✓", "seal", "0.0", "s", "2.0", "MB", "received"]
    assert drawn[5] == "      canopus    ━━━━──────────── 1.0 MB of 4.0 MB  1.0 MB/s  3.0 s left"


def test_an_event_that_ends_a_step_takes_its_nodes_away():
    progress = tree.Progress()
    moving = {"node": "canopus", "dataset": "x", "done": 1, "total": 2, "rate": 1}
    progress.heard(events.release_tag("WS221", "seal", "progress"), moving)
    progress.heard(events.release_tag("WS221", "push_acedb", "progress"), moving)
    progress.heard("salt/job/1", {})
    assert [step for step, _ in progress.moving()] == ["seal", "push_acedb"]
    progress.heard(events.release_tag("WS221", "seal", "done"), {})
    progress.heard(
        events.release_tag("WS221", "push_acedb", "progress"), {**moving, "complete": True}
    )
    assert progress.moving() == []


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, ""), (0.44, "0.4 s"), (37.2, "37 s"), (245, "4 min 05 s"), (7300, "2 h 01 min")],
)
def test_length_is_what_people_read(seconds, told):
    assert lines.length(seconds) == told
