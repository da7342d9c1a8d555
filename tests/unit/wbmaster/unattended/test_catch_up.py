"""wbmaster.unattended.catch_up: nodes that come back are asked to catch up once, and looked at."""

import importlib.util
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
from cluster import World, request, settings
from rehearsal import staged
from wbcore.errors import BadRequest, ReleaseError, StepFailed
from wbmaster import run
from wbmaster.nodes.fleet import Answer
from wbmaster.unattended import catch_up

RELEASE = request("release", "WS221")


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "returning", "WS219", "WS220", "WS221")


@pytest.fixture
def begun(desk):
    """Nodes that were asked to enforce their states: (node, function)."""
    begun, real = [], desk.nodes.begin

    def begin(nodes, function, **kwargs):
        if function == "wb_node.enforce":
            begun.extend((node, function) for node in nodes)
        else:
            real(nodes, function, **kwargs)

    desk.nodes.begin = begin
    return begun


def without(desk, *nodes):
    """WS221 goes live while nodes do not answer."""
    desk.nodes.world.absent = nodes
    desk.run(RELEASE)


def test_a_node_that_answers_again_is_asked_once(desk, begun):
    without(desk, "wb-web2", "wb-gb1")
    assert catch_up.greet(desk) == "" and desk.ledger.away() == ["wb-gb1", "wb-web2"]

    desk.nodes.world.absent = ("wb-gb1",)
    assert catch_up.greet(desk) == "asked to catch up: wb-web2"
    assert catch_up.greet(desk) == ""
    assert begun == [("wb-web2", "wb_node.enforce")] and desk.ledger.away() == ["wb-gb1"]


def test_a_node_that_could_not_follow_is_asked_too(desk, begun):
    def switch(node, links, run, before, real=desk.nodes.wb_live_switch):
        answer = real(node, links, run, before)
        return {**answer, "version": {"error": "no answer"}} if node == "wb-mining" else answer

    desk.nodes.wb_live_switch = switch
    desk.run(RELEASE)

    assert catch_up.greet(desk) == "asked to catch up: wb-mining"


def test_nobody_is_asked_while_a_run_is_at_work(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    assert desk.lock.take(dict(run.describe(RELEASE, "other")))
    assert catch_up.greet(desk) == ""
    desk.lock.release()

    assert catch_up.greet(desk)


def test_a_run_that_failed_leaves_nobody_out(desk, begun):
    desk.nodes.world.webapp = {**desk.nodes.world.webapp, "modified": ["lib/X.pm"]}
    with pytest.raises(ReleaseError):
        without(desk, "wb-web2")

    assert desk.ledger.away() == []


def test_the_next_release_that_takes_a_node_along_has_nobody_asked(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    desk.nodes.world.stage("WS222")
    desk.run(request("release", "WS222"))

    assert catch_up.greet(desk) == "" and begun == []


def test_nodes_that_are_not_to_enforce_anything_are_not_asked(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    desk.settings = settings(enforce={"minutes": 0})

    assert catch_up.greet(desk) == "" and begun == []


def test_a_node_that_left_the_pillar_is_not_asked(desk, begun):
    without(desk, "wb-web2")
    desk.nodes.world.absent = ()
    desk.ledger.record_away("run", ["gone", "wb-web2"])

    assert catch_up.greet(desk) == "asked to catch up: wb-web2"


@pytest.fixture
def office(monkeypatch):
    """The master's tools; ``answers`` are those of the proxy, ``asked`` what it was asked."""
    monkeypatch.setattr(catch_up, "_PAUSE_SECONDS", 0)
    answers, asked = [], []

    def ask(nodes, function):
        asked.append((*nodes, function))
        return dict.fromkeys(nodes, answers.pop(0))

    fleet = SimpleNamespace(ask=ask)
    return SimpleNamespace(settings=settings(), fleet=fleet, answers=answers, asked=asked)


def test_the_proxy_is_asked_until_it_has_the_time(office):
    office.answers += [Answer({"put_off": "a go-live is running"})] * 2 + [Answer({"reports": []})]

    assert "has looked at wb-web1" in catch_up.admit(office, ["wb-web1"])
    assert office.asked == [("fe", "wb_node.enforce")] * 3


def test_the_proxy_is_not_asked_for_ever(office):
    office.answers += [Answer({"put_off": "a go-live is running"})] * 99

    assert "a go-live is running" in catch_up.admit(office, ["wb-web1"])
    assert len(office.asked) == 12


def test_a_proxy_that_is_away_is_told(office):
    office.answers.append(Answer(silent=True))

    with pytest.raises(StepFailed, match="fe: it does not answer"):
        catch_up.admit(office, ["wb-web1"])


def test_the_proxy_has_nothing_to_do_with_other_nodes(office):
    with pytest.raises(BadRequest, match="not a web node"):
        catch_up.admit(office, ["wb-gb1"])
    assert office.asked == []


@pytest.fixture
def joined(office, monkeypatch):
    """The runner that the reactor calls in a thread of its own for each event."""
    where = Path(__file__).parents[4] / "salt/_runners/wb_auto.py"
    spec = importlib.util.spec_from_file_location("wb_auto", where)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    monkeypatch.setattr(loaded, "_office", lambda: office)
    return loaded.joined


def test_a_storm_of_nodes_holds_two_threads_and_all_are_looked_at(office, joined):
    looking, open_ = threading.Event(), threading.Event()

    def ask(nodes, function):
        office.asked.append((*nodes, function))
        looking.set()
        open_.wait()
        return dict.fromkeys(nodes, Answer({"reports": []}))

    office.fleet.ask = ask
    nodes = ["stranger", "wb-web1", "wb-web2", "wb-gb1"] * 25
    with ThreadPoolExecutor(len(nodes) + 1) as threads:
        try:
            first = threads.submit(joined, "canopus")
            looking.wait()
            others = [threads.submit(joined, node) for node in nodes]
            early = list(islice(as_completed(others, timeout=10), len(nodes) - 1))
        finally:
            open_.set()
    assert first.result() == "fe has looked at canopus"
    assert {one.result().partition(" ")[2] for one in early} == {"is looked at with others"}
    (last,) = set(others) - set(early)
    assert sorted(last.result().split()) == ["at", "fe", "has", "looked", "wb-web1,", "wb-web2"]
    assert office.asked == [("fe", "wb_node.enforce")] * 2


@pytest.mark.parametrize("node", ["stranger", "", None])
def test_the_proxy_is_not_asked_for_what_is_no_node(office, node):
    with pytest.raises(BadRequest):
        catch_up.admit(office, [node])
    assert office.asked == []
