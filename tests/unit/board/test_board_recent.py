"""The nodes are asked once, whoever loads the page how often."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from board.recent import Answers


class Nodes:
    """Counts how often they are asked."""

    def __init__(self):
        self.asked, self.now, self.at_work = [], 0.0, threading.Event()
        self.at_work.set()

    def ask(self, token):
        self.asked.append(token)
        self.at_work.wait(5)
        return f"answer {len(self.asked)}"

    def clock(self):
        return self.now


@pytest.fixture
def nodes():
    return Nodes()


@pytest.fixture
def answers(nodes):
    return Answers(nodes.ask, nodes.clock)


def test_within_ten_seconds_a_person_has_the_same_answer(nodes, answers):
    assert [answers.of("vera"), answers.of("vera")] == ["answer 1", "answer 1"]
    nodes.now += Answers.SECONDS + 1
    assert answers.of("vera") == "answer 2"
    assert nodes.asked == ["vera", "vera"]


def test_nobody_has_the_answer_of_another_person(nodes, answers):
    assert answers.of("vera") != answers.of("olga")
    assert nodes.asked == ["vera", "olga"]


def test_who_asks_while_the_nodes_are_asked_waits_for_that_answer(nodes, answers):
    nodes.at_work.clear()
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(answers.of, "vera") for _ in range(4)]
        nodes.at_work.set()
        assert {one.result() for one in waiting} == {"answer 1"}
    assert nodes.asked == ["vera"]


def test_an_error_is_no_answer(nodes):
    def fail(token):
        nodes.asked.append(token)
        raise ValueError

    answers = Answers(fail, nodes.clock)
    for _ in range(2):
        with pytest.raises(ValueError):
            answers.of("vera")
    assert nodes.asked == ["vera", "vera"]
