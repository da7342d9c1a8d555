"""wbmaster.drifting: what the master records, and how often the proxy is asked to look."""

from types import SimpleNamespace

import pytest
from cluster import settings
from wbcore.drift import Change, Report
from wbcore.errors import BadRequest, StepFailed
from wbmaster import drifting
from wbmaster.fleet import Answer
from wbmaster.ledger import Ledger


@pytest.fixture
def office(tmp_path, monkeypatch):
    """The master's tools; ``answers`` are those of the proxy, ``asked`` what it was asked."""
    monkeypatch.setattr(drifting, "_PAUSE_SECONDS", 0)
    answers, asked = [], []

    def ask(nodes, function):
        asked.append((*nodes, function))
        return dict.fromkeys(nodes, answers.pop(0))

    return SimpleNamespace(
        settings=settings(),
        ledger=Ledger(tmp_path / "ledger.sqlite"),
        fleet=SimpleNamespace(ask=ask),
        answers=answers,
        asked=asked,
    )


def test_what_a_node_tells_is_recorded_and_shown(office):
    report = Report.of("fe", "drift", [Change.of("nginx is configured", "diff")])
    drifting.record(office, "fe", report.plain())
    (shown,) = drifting.shown(office, 9, "fe")

    assert shown["changes"] == ["nginx is configured: diff"]
    assert drifting.shown(office, 9, "wb-web1") == []


@pytest.mark.parametrize("node", ["stranger", "", None])
def test_what_is_no_node_is_refused(office, node):
    with pytest.raises(BadRequest):
        drifting.record(office, node, {})
    with pytest.raises(BadRequest):
        drifting.admit(office, node)
    assert office.asked == []


def test_the_proxy_is_asked_until_it_has_the_time(office):
    office.answers += [Answer({"put_off": "a go-live is at work"})] * 2 + [Answer({"reports": []})]

    assert "has looked at wb-web1" in drifting.admit(office, "wb-web1")
    assert office.asked == [("fe", "wb_node.enforce")] * 3


def test_the_proxy_is_not_asked_for_ever(office):
    office.answers += [Answer({"put_off": "a go-live is at work"})] * 99

    assert "a go-live is at work" in drifting.admit(office, "wb-web1")
    assert len(office.asked) == 12


def test_a_proxy_that_is_away_is_told(office):
    office.answers.append(Answer(silent=True))

    with pytest.raises(StepFailed, match="fe: it does not answer"):
        drifting.admit(office, "wb-web1")


def test_the_proxy_has_nothing_to_do_with_other_nodes(office):
    assert "not a web node" in drifting.admit(office, "wb-gb1")
    assert office.asked == []
