"""wbmaster.commands.queries: what `wb_release.status`, `history` and `plan` answer."""

import pytest
from cluster import World, request, settings
from rehearsal import staged
from simulated_nodes import FAIL
from wbcore.errors import StepFailed
from wbmaster import run
from wbmaster.commands import queries
from wbmaster.lock import RunLock

NODES = ["wb-web1", "wb-web2", "wb-mining", "wb-gb1", "canopus"]


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


def test_status_is_what_every_node_answers_at_this_moment(desk):
    told = queries.status(desk)

    assert told["live"].startswith("WS220-") and told["way_back"].startswith("WS219-")
    assert told["at_work"] == ""
    assert sorted(told["nodes"]) == sorted(NODES)
    assert {node["state"] for node in told["nodes"].values()} == {"whole"}
    assert told["nodes"]["wb-web1"]["release"] == told["live"]
    assert told["nodes"]["wb-gb1"]["mysql"] == {"c_elegans": "WS220", "clustal": "WS219"}


def test_status_names_what_is_not_whole_and_who_is_away(desk):
    world = desk.nodes.world
    world.serving["canopus"] = {**world.serving["canopus"], "acedb": "wormbase_WS219"}
    world.absent = ("wb-web2", "wb-dev")
    told = queries.status(desk)["nodes"]

    assert told["canopus"]["state"] == "acedb is 'WS219' instead of 'WS220'"
    assert told["wb-web2"] == {"site": "local", "state": "does not answer"}
    assert told["wb-web1"]["state"] == "whole"


def test_status_before_the_first_release_has_nothing_live(memory):
    desk = staged(World(settings()), memory / "first", "WS220")
    told = queries.status(desk)

    assert (told["live"], told["way_back"]) == ("", "")


def test_status_says_what_is_at_work(desk):
    other = RunLock(desk.lock.path)
    other.take(dict(run.describe(request("push", "WS221"), "other")))

    assert queries.status(desk)["at_work"] == "orch.push {build: WS221}"
    other.release()


def test_history_is_the_newest_runs_with_cause_outcome_and_figures(desk, monkeypatch):
    monkeypatch.setenv("WORMBASE_REASON", "it is time")
    with pytest.raises(StepFailed):
        desk.run(request("release", "WS221"), {8: FAIL})
    desk.run(request("release", "WS221"))
    newest, failed, *_ = queries.history(desk, 3)

    assert len(queries.history(desk, 2)) == 2
    assert (newest["outcome"], newest["cause"]) == ("done", "command")
    assert newest["reason"] == "it is time"
    assert newest["release"].startswith("WS221-")
    assert newest["steps"]["push_mysql"]["received"] == 500
    assert newest["forecast"]["bytes"]["local"] > 0
    assert newest["began"].endswith(" UTC") and newest["seconds"] >= 0
    assert failed["outcome"] == "failed" and "it failed" in failed["error"]
    assert failed["steps"]["check_contents"]["outcome"] == "failed"


def test_plan_says_what_would_be_done_and_what_it_costs(desk):
    told = queries.plan(desk, request("release", "WS221"))

    assert told["would"][0] == "orch.release {build: WS221}"
    assert set(told["forecast"]) == {"bytes", "minutes", "window_seconds", "free_after"}
    assert {function for _, function in desk.nodes.asked} >= {"wb_node.observe"}
    assert desk.lock.free()


def test_watch_without_a_run_says_so(desk):
    assert queries.watch_run(desk) == "No run is under way."
