"""In which order and how often nodes are asked; the bus is a model."""

import contextlib

import pytest
from wbmaster.nodes.fleet import Answer, Call, Fleet


class Jobs:
    """Answers in the order in which it is given jobs, which it keeps."""

    def __init__(self):
        self.given = []
        self._open = []

    def give(self, nodes, function, patience, kwargs):
        self.given.append(list(nodes))
        self._open += nodes

    def answers(self):
        while self._open:
            node = self._open.pop(0)
            yield node, Answer(error="broken" if node == "bad" else "", value=node)


class Modelled(Fleet):
    def __init__(self):
        super().__init__("")
        self.made = Jobs()

    def jobs(self):
        return contextlib.nullcontext(self.made)


@pytest.fixture
def fleet():
    return Modelled()


def test_nodes_with_the_same_arguments_share_a_job(fleet):
    calls = {"a": Call({"x": 1}), "b": Call({"x": 2}), "c": Call({"x": 1})}
    answers = fleet.cascade("wb.do", calls, lambda node, answer: None)
    assert fleet.made.given == [["a", "c"], ["b"]]
    assert list(answers) == ["a", "b", "c"]


def test_a_node_is_asked_once_the_one_it_waits_for_is_done_even_badly(fleet):
    calls = {
        "bad": Call({}),
        "b": Call({}, after="bad"),
        "c": Call({}, after="b"),
        "d": Call({}, after="bad"),
        "e": Call({}, after="nobody here"),
    }
    told = []
    fleet.cascade("wb.do", calls, lambda node, answer: told.append(node))
    assert fleet.made.given == [["bad", "e"], ["b", "d"], ["c"]]
    assert told == ["bad", "e", "b", "d", "c"]


def test_nobody_is_asked_nothing(fleet):
    assert fleet.ask([], "wb.do") == {}
    assert fleet.made.given == []
