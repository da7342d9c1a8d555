"""Servers of a web node are restarted out of the pool, one node at a time."""

import pytest
from cluster import World, request, settings
from rehearsal import scratch, staged
from simulated_nodes import KILL_AFTER, Killed
from wbcore.errors import BadData, BadRequest, StepFailed
from wbcore.model import desired
from wbmaster import run
from wbmaster.lock import RunLock
from wbmaster.unattended import restarts

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]


@pytest.fixture(scope="module")
def before():
    """A desk with WS220 live and WS221 staged."""
    with scratch() as root:
        yield staged(World(settings()), root / "before", "WS219", "WS220", "WS221")


@pytest.fixture
def desk(before, tmp_path, monkeypatch):
    monkeypatch.setattr(restarts, "_PAUSE_SECONDS", 0)
    desk = before.again(tmp_path / "desk")
    desk.nodes.due = {"wb-web1": ["acedb", "mariadb"]}
    yield desk
    run.set_current(None)
    desk.wire.close()


def pooled(desk):
    return sorted(desk.nodes.pool)


def test_a_node_is_out_of_the_pool_while_its_servers_restart(desk):
    seen = []

    def restart_due(node, real=desk.nodes.wb_service_restart_due):
        live = desired.of_node(desk.settings, desk.ledger.known(), "fe")
        seen.append((pooled(desk), sorted(live["web"])))
        return real(node)

    desk.nodes.wb_service_restart_due = restart_due
    assert restarts.restart(desk, "wb-web1") == "acedb, mariadb restarted on wb-web1"

    others = sorted(set(WEB) - {"wb-web1"})
    # The proxy's states, should they come just now, leave it out as well.
    assert seen == [(others, others)]
    assert pooled(desk) == sorted(WEB) and desk.nodes.wrong == []
    assert desk.ledger.known().resting == "" and desk.lock.free()
    assert restarts.restart(desk, "wb-web1") == "nothing is due on wb-web1"


def test_states_that_were_rendered_before_do_not_put_it_back(desk):
    rendered = desired.of_node(desk.settings, desk.ledger.known(), "fe")["epoch"]
    order = {"pool": desk.nodes.live_pool, "nodes": WEB, "epoch": rendered}
    answers = []

    def restart_due(node, real=desk.nodes.wb_service_restart_due):
        answers.append(desk.nodes.ask(["fe"], "wb_proxy.set_pool", **order)["fe"])
        return real(node)

    desk.nodes.wb_service_restart_due = restart_due
    restarts.restart(desk, "wb-web1")
    assert "has begun; nothing was done" in answers[0].error and desk.nodes.wrong == []


def test_nothing_restarts_while_visitors_come_past_haproxy(desk):
    desk.nodes.passes = False
    assert restarts.restart(desk, "wb-web1") == (
        "wb-web1 waits: nginx on fe does not pass visitors to HAProxy yet, so they can not be kept "
        "from it; docs/adopt.md has the line for nginx"
    )
    assert desk.nodes.due and pooled(desk) == sorted(WEB)


def test_a_node_of_no_pool_is_left_to_people(desk):
    desk.nodes.due = {"wb-gb1": ["mariadb"]}
    assert restarts.restart(desk, "wb-gb1") == (
        "wb-gb1 waits: it is in no pool; run salt wb-gb1 wb_service.restart_due when it may restart"
    )
    assert desk.nodes.due == {"wb-gb1": ["mariadb"]} and pooled(desk) == sorted(WEB)


def test_a_node_that_the_site_needs_waits(desk):
    desk.nodes.pool = ["wb-web1", "canopus"]
    assert restarts.restart(desk, "wb-web1") == "wb-web1 waits: only 1 other web nodes serve"
    assert pooled(desk) == ["canopus", "wb-web1"] and desk.nodes.due


def test_a_node_out_of_the_pool_stays_out(desk):
    desk.nodes.pool = ["wb-web2", "canopus"]
    assert "restarted on wb-web1" in restarts.restart(desk, "wb-web1")
    assert pooled(desk) == ["canopus", "wb-web2"]


def test_a_node_that_does_not_serve_what_is_live_afterwards_stays_out(desk):
    def restart_due(node, real=desk.nodes.wb_service_restart_due):
        desk.nodes.wb_live_version = lambda node: {"error": "no answer"}
        return real(node)

    desk.nodes.wb_service_restart_due = restart_due
    assert restarts.restart(desk, "wb-web1") == ("wb-web1 stays out of the pool, since no answer")
    assert "wb-web1" not in pooled(desk) and desk.ledger.known().resting == ""


def test_nobody_is_restarted_while_a_run_is_at_work(desk):
    other = RunLock(desk.lock.path)
    assert other.take(dict(run.describe(request("push", "WS221"), "other")))
    assert restarts.restart(desk, "wb-web1") == (
        "wb-web1 waits: orch.push {build: WS221} is running"
    )
    other.release()
    assert pooled(desk) == sorted(WEB) and desk.nodes.due


def test_a_restart_that_fails_is_told_and_the_node_stays_out(desk):
    def restart_due(node):
        raise StepFailed("mariadb did not restart", "see to it", node=node)

    desk.nodes.wb_service_restart_due = restart_due
    with pytest.raises(StepFailed, match="wb-web1: mariadb did not restart"):
        restarts.restart(desk, "wb-web1")
    assert "wb-web1" not in pooled(desk) and desk.ledger.known().resting == ""


def test_a_restart_that_was_killed_is_forgotten_by_the_supervisor(desk):
    calls = desk.again(desk.layout.root.parent / "probe")
    calls.nodes.due = dict(desk.nodes.due)
    restarts.restart(calls, "wb-web1")
    call = [function for _, function in calls.nodes.asked].index("wb_service.restart_due")
    desk.nodes.troubles = {call: KILL_AFTER}
    # A process that is killed runs no more of its own code.
    real, desk.ledger.rest = desk.ledger.rest, lambda node: node and real(node)
    with pytest.raises(Killed):
        restarts.restart(desk, "wb-web1")
    desk.ledger.rest = real
    assert desk.ledger.known().resting == "wb-web1"

    assert restarts.wake(desk) == "wb-web1 may serve again"
    assert restarts.wake(desk) == "" and desk.ledger.known().resting == ""


def test_an_old_copy_of_the_ledger_restarts_nothing(desk):
    desk.nodes.epochs["fe"] += 2
    for act in (lambda: restarts.restart(desk, "wb-web1"), lambda: restarts.wake(desk)):
        desk.ledger.rest("wb-web1")
        desk.nodes.epochs["fe"] += 1
        before = desk.ledger.epoch()
        with pytest.raises(BadData, match="is an old copy"):
            act()
        assert desk.ledger.epoch() == before
    assert pooled(desk) == sorted(WEB)


def test_what_fails_on_one_node_keeps_no_other_waiting(desk):
    desk.nodes.due["wb-web2"] = ["mariadb"]
    said = restarts.restart_all(desk, ["stranger", "wb-web1", "wb-web2"])
    assert "is not a node" in said.pop("stranger")
    assert said == {
        "wb-web1": "acedb, mariadb restarted on wb-web1",
        "wb-web2": "mariadb restarted on wb-web2",
    }
    assert pooled(desk) == sorted(WEB) and desk.nodes.wrong == []


@pytest.mark.parametrize("node", ["stranger", "", None])
def test_only_a_node_of_the_site_is_asked(desk, node):
    with pytest.raises(BadRequest):
        restarts.restart(desk, node)
    assert desk.nodes.asked == []
