"""wbmaster.returning: nodes that a release left out are asked to catch up, once."""

import pytest
from cluster import World, request, settings
from rehearsal import staged
from wbcore.errors import ReleaseError
from wbmaster import returning, run

RELEASE = request("release", "WS221")


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "returning", "WS219", "WS220", "WS221")


@pytest.fixture
def begun(desk):
    """Jobs that nobody waits for: (node, function)."""
    begun = []
    desk.nodes.begin = lambda nodes, function: begun.extend((node, function) for node in nodes)
    return begun


def without(desk, *nodes):
    """WS221 goes live while nodes do not answer."""
    desk.nodes.world.absent = nodes
    desk.run(RELEASE)


def test_a_node_that_answers_again_is_asked_once(desk, begun):
    without(desk, "wb-web2", "wb-gb1")
    assert returning.greet(desk) == "" and desk.ledger.behind() == ["wb-gb1", "wb-web2"]

    desk.nodes.world.absent = ("wb-gb1",)
    assert returning.greet(desk) == "asked to catch up: wb-web2"
    assert returning.greet(desk) == ""
    assert begun == [("wb-web2", "wb_node.enforce")] and desk.ledger.behind() == ["wb-gb1"]


def test_a_node_that_could_not_follow_is_asked_too(desk, begun):
    def switch(node, links, run, before, real=desk.nodes.wb_live_switch):
        answer = real(node, links, run, before)
        return {**answer, "version": {"error": "no answer"}} if node == "wb-mining" else answer

    desk.nodes.wb_live_switch = switch
    desk.run(RELEASE)

    assert returning.greet(desk) == "asked to catch up: wb-mining"


def test_nobody_is_asked_while_a_run_is_at_work(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    assert desk.lock.take(dict(run.describe(RELEASE, "other")))
    assert returning.greet(desk) == ""
    desk.lock.release()

    assert returning.greet(desk)


def test_a_run_that_failed_leaves_nobody_behind(desk, begun):
    desk.nodes.world.webapp = {**desk.nodes.world.webapp, "modified": ["lib/X.pm"]}
    with pytest.raises(ReleaseError):
        without(desk, "wb-web2")

    assert desk.ledger.behind() == []


def test_the_next_release_that_takes_a_node_along_has_nobody_asked(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    desk.nodes.world.stage("WS222")
    desk.run(request("release", "WS222"))

    assert returning.greet(desk) == "" and begun == []


def test_nodes_that_are_not_to_enforce_anything_are_not_asked(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    desk.settings = settings(enforce={"minutes": 0})

    assert returning.greet(desk) == "" and begun == []


def test_a_node_that_left_the_pillar_is_not_asked(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    desk.ledger.leave_behind("run", ["gone", "wb-web2"])

    assert returning.greet(desk) == "asked to catch up: wb-web2"
