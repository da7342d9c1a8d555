"""The databases of a build travel to the nodes, over the real carrier, by the real command."""

from __future__ import annotations

import signal

import pytest
import staged
from wbcore import events
from wbcore.datasets import ACEDB, SUPPORT, Dataset
from wbmaster.nodes.bus import Bus
from wbsite import REMOTE, SERVING, STAGING, WEB, comments, eventually, sentences

STEPS = [
    "seal",
    "check_contents",
    "check_disk_space",
    "make_parcels",
    "push_acedb",
    "push_mysql",
    "push_support",
]
ONTOLOGY = Dataset(SUPPORT, "WS221/ontology")


@pytest.fixture
def ws221(site):
    """The site with WS221 staged."""
    staged.build(site.layouts[STAGING], "WS221")
    return site


def check_pushed(site, build):
    """What is staged is on each node whole, marked, and not live."""
    wanted = staged.contents(site.layouts[STAGING], build)
    for node in SERVING:
        layout = site.layouts[node]
        assert staged.contents(layout, build) == wanted
        held = site.ask(node, "wb_dataset.held")
        assert set(held) == {f"support/{build}/gene", f"support/{build}/ontology"}
        assert site.ask(node, "wb_link.read") == {}
        # Neither node has the role for it.
        assert not layout.kind(ACEDB).exists()


def test_push_brings_a_build_to_each_node_and_does_nothing_the_second_time(ws221):
    first = ws221.orch("push", "{build: WS221}")
    assert first.returncode == 0, first
    check_pushed(ws221, "WS221")
    (run,) = ws221.ledger.runs(9)
    assert (run["kind"], run["build"], run["cause"]) == ("push", "WS221", "command")
    assert (run["outcome"], run["error"], run["request"]) == ("done", "", {"build": "WS221"})
    steps = ws221.ledger.steps(run["id"])
    assert [(step["step"], step["outcome"]) for step in steps] == [(name, "done") for name in STEPS]
    # Each site got it once from wb-dev.
    entered = steps[-1]["figures"]["entered"]
    assert set(entered) == {"local", "remote"}
    assert all(received > staged.BIG for received in entered.values())

    before = ws221.snapshot()
    second = ws221.orch("push", "{build: WS221}")
    assert second.returncode == 0, second
    assert comments(second)["begin"] == "WS221 is on every node already; nothing to do."
    assert ws221.snapshot() == before


def test_push_in_a_dry_run_says_what_it_would_do_and_does_nothing(ws221):
    before = ws221.snapshot()
    shown = ws221.orch("push", "{build: WS221}", "test=True")
    assert shown.returncode == 0, shown
    said = comments(shown)
    assert "canopus lacks 401.2 kB: support/WS221/gene, support/WS221/ontology" in said["begin"]
    assert said["5 push the support databases"] == "Would be done."
    assert said["3 push the AceDB database"] == "Nothing to do."
    assert ws221.snapshot() == before
    assert not ws221.office.ledger.exists()


def test_push_killed_on_its_way_is_ended_by_the_same_command(ws221):
    with ws221.held_up(REMOTE):
        killed = ws221.begin("push", "{build: WS221}")
        died = ws221.wait_for_step("push_support")
        marker = ws221.layouts[WEB].marker(ONTOLOGY)
        eventually("one node is done", marker.exists)
        killed.process.send_signal(signal.SIGKILL)
        killed.process.wait()
    done = marker.stat().st_ino
    again = ws221.orch("push", "{build: WS221}")
    assert again.returncode == 0, again
    check_pushed(ws221, "WS221")
    assert ws221.ledger.run(died["id"])["outcome"] == "died"
    assert not ws221.ledger.unfinished()
    # What was copied was not copied again.
    assert marker.stat().st_ino == done


def test_push_asked_for_twice_at_once_runs_once_and_another_is_told(ws221):
    staged.build(ws221.layouts[STAGING], "WS222")
    ws221.ask(STAGING, "wb_build.seal", "WS221")
    with ws221.held_up(REMOTE):
        both = [ws221.begin("push", "{build: WS221}") for _ in range(2)]
        held = ws221.wait_for_step("push_support")
        eventually("both follow the run", lambda: _both_see(ws221, both))
        other = ws221.orch("push", "{build: WS222}")
    assert other.returncode != 0
    (sentence,) = sentences(other)
    assert sentence.startswith("orch.push {build: WS221} has been running since 20")
    assert "(started by root, command, pid " in sentence
    ended = [command.ended() for command in both]
    assert [answered.returncode for answered in ended] == [0, 0], ended
    said = [comments(answered)["begin"] for answered in ended]
    assert f"joined the run {held['id']}, which has done it" in said
    assert [run["id"] for run in ws221.ledger.runs(9)] == [held["id"]]
    check_pushed(ws221, "WS221")


def _both_see(site, commands):
    """Tell of progress, and look whether both commands have shown it."""
    tag = events.progress_tag("WS221", "push_support")
    Bus(site.master.config).fire(
        events.progress("WS221", "push_support", "canopus", "support/WS221/gene", 1, 2, 1.0), tag
    )
    return all("canopus support/WS221/gene" in command.said() for command in commands)
