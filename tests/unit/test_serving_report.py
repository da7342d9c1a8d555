"""The report's program: many questions, and no answer that is older than its question."""

import importlib.util
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

PROGRAM = Path(__file__).resolve().parents[2] / "salt/states/report/report.py"


@pytest.fixture
def program(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    found = importlib.util.spec_from_file_location("report_program", PROGRAM)
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_questions_that_wait_share_one_answer_that_is_newer_than_each(program):
    begun, go_on, world = threading.Event(), threading.Event(), ["old"]
    learnt = []

    def learn():
        learnt.append(world[0])
        begun.set()
        go_on.wait(10)
        return {"release": learnt[-1]}

    fresh = program.Fresh(learn)
    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(fresh.get)
        begun.wait(10)
        world[0] = "new"
        later = [threads.submit(fresh.get) for _ in range(10)]
        while threads._work_queue.qsize():
            pass
        go_on.set()
        assert first.result() == {"release": "old"}
        assert [one.result() for one in later] == [{"release": "new"}] * 10
    assert learnt[:2] == ["old", "new"] and len(learnt) <= 3


def test_a_failure_is_not_kept(program):
    answers = iter([OSError("gone"), {"release": "new"}])

    def learn():
        one = next(answers)
        if isinstance(one, OSError):
            raise one
        return one

    fresh = program.Fresh(learn)
    with pytest.raises(OSError, match="gone"):
        fresh.get()
    assert fresh.get() == {"release": "new"}


def test_a_proxy_may_be_given_by_its_name(program):
    with program.Server(("127.0.0.1", 0), ["localhost", "no-such-host.invalid"], None) as server:
        assert server.may_ask("127.0.0.1")
        assert not server.may_ask("192.0.2.1")
    with program.Server(("127.0.0.1", 0), ["192.0.2.1"], None) as server:
        assert server.may_ask("192.0.2.1")
