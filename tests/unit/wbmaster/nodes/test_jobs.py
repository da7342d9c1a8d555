"""Jobs at nodes over a bus that is a list, and a clock that stands still."""

import contextlib

import pytest
from wbmaster.nodes import jobs
from wbmaster.nodes.jobs import GATHER, Answer, Jobs

PATIENCE = 10
RUNNING = "saltutil.running"


class Client:
    """Salt's own client: what it was asked, and the events that it will see."""

    def __init__(self):
        self.event = self
        self.published = []
        self.known = ["a", "b", "c"]
        self.events = []

    def run_job(self, nodes, function, **_):
        self.published.append((function, nodes))
        accepted = [node for node in nodes if node in self.known]
        return {"jid": str(len(self.published)), "minions": accepted} if accepted else {}

    def get_event(self, **_):
        found = self.events.pop(0)
        return found() if callable(found) else found

    def destroy(self):
        pass


@pytest.fixture
def client(monkeypatch):
    made = Client()
    monkeypatch.setattr(jobs.salt.client, "get_local_client", lambda conf_file: made)
    return made


@pytest.fixture
def clock(monkeypatch):
    """Seconds, in a list of one."""
    now = [1000.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: now[0])
    return now


def returned(node, value, jid="1", **more):
    return {"tag": f"salt/job/{jid}/ret/{node}", "data": {"return": value, "retcode": 0, **more}}


def later(clock, seconds, event=None):
    """An event, or none, after some seconds."""

    def wait():
        clock[0] += seconds
        return event

    return wait


def given(nodes):
    made = Jobs("")
    made.give(nodes, "wb.do", PATIENCE, {})
    return made


def test_answers_come_as_nodes_return(client, clock):
    client.events = [
        {"tag": "salt/job/1/new", "data": {}},
        returned("b", 2),
        returned("b", "of another job", jid="77"),
        None,
        returned("a", "ERROR: no room; purge", retcode=1),
    ]
    assert list(given(["a", "b"]).answers()) == [
        ("b", Answer(2)),
        ("a", Answer(error="no room; purge")),
    ]


def test_a_job_may_be_given_while_answers_come(client, clock):
    client.events = [returned("a", 1), returned("b", 2, jid="2")]
    made, seen = given(["a"]), []
    for node, answer in made.answers():
        seen.append((node, answer.value))
        if node == "a":
            made.give(["b"], "wb.do", PATIENCE, {})
    assert seen == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(("nodes", "seen"), [(["a", "x"], ["x", "a"]), (["x", "y"], ["y", "x"])])
def test_a_node_that_the_master_does_not_know_is_silent_at_once(client, clock, nodes, seen):
    client.events = [returned("a", 1)]
    answers = dict(given(nodes).answers())
    assert list(answers) == seen
    assert {node for node in answers if answers[node].silent} == set(nodes) - {"a"}


def test_a_node_that_works_may_take_as_long_as_it_needs(client, clock):
    working = [{"jid": "1"}]
    client.events = [
        later(clock, PATIENCE + 1),
        returned("a", working, jid="2"),
        later(clock, PATIENCE + 1),
        returned("a", working, jid="3"),
        later(clock, PATIENCE - 1, returned("a", "done")),
    ]
    assert list(given(["a"]).answers()) == [("a", Answer("done"))]
    assert [function for function, _ in client.published] == ["wb.do", RUNNING, RUNNING]


def test_nodes_that_say_nothing_are_asked_at_once_and_are_silent_then(client, clock):
    client.events = [
        later(clock, PATIENCE + 1),
        # It has done its work, whose return was lost.
        returned("a", [{"jid": "77"}], jid="2"),
        returned("b", [{"jid": "1"}], jid="2"),
        later(clock, GATHER + 1),
        returned("b", "done"),
    ]
    answers = dict(given(["a", "b", "c"]).answers())
    assert answers == {"a": Answer(silent=True), "b": Answer("done"), "c": Answer(silent=True)}
    assert client.published[1:] == [(RUNNING, ["a", "b", "c"])]


def test_a_return_that_comes_after_the_question_counts(client, clock):
    client.events = [later(clock, PATIENCE + 1), later(clock, GATHER - 1, returned("a", "done"))]
    assert list(given(["a"]).answers()) == [("a", Answer("done"))]


def test_what_is_no_list_of_jobs_is_no_sign_of_work(client, clock):
    client.events = [
        later(clock, PATIENCE + 1),
        returned("a", "an exception", jid="2"),
        later(clock, GATHER + 1),
    ]
    assert list(given(["a"]).answers()) == [("a", Answer(silent=True))]


def test_a_master_that_is_gone_is_noticed(client, clock):
    client.events = [later(clock, PATIENCE + 1)]
    made = given(["a"])

    def gone(*_, **__):
        raise OSError("no master")

    client.run_job = gone
    with pytest.raises(OSError, match="no master"), contextlib.closing(made.answers()) as answers:
        next(answers)
