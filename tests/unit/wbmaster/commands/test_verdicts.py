"""Holds, bad builds and accepted ones: said, kept in the ledger, heeded by the plan."""

import sqlite3

import pytest
from cluster import World, request, settings
from rehearsal import staged
from wbcore.errors import BadRequest
from wbcore.names import Build
from wbcore.verdicts import ACCEPTED, BAD, HOLD
from wbmaster.commands import queries, verdicts
from wbmaster.ledger import Ledger

WS221 = Build.parse("WS221")


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


def refused(desk, kind, build="", **flags):
    with pytest.raises(BadRequest) as caught:
        desk.plan(request(kind, build, **flags))
    return str(caught.value)


def test_a_hold_stops_what_goes_live_and_nothing_else(desk):
    verdicts.hold(desk, "", "the curators look at it")

    told = refused(desk, "release", "WS221")
    assert "everything is held by" in told and "the curators look at it" in told
    assert "wb_release.unhold" in told
    assert desk.plan(request("push", "WS221")).plan.needs_pull
    assert desk.plan(request("rollback")).plan.needs_golive
    assert desk.plan(request("release", "WS220")).plan.idle

    verdicts.unhold(desk, "")
    assert desk.plan(request("release", "WS221")).plan.needs_golive


def test_a_hold_of_one_build_leaves_others_alone(desk):
    verdicts.hold(desk, "WS222", "too early")
    assert desk.plan(request("release", "WS221")).plan.needs_golive

    verdicts.hold(desk, "WS221", "too early")
    assert "unhold build=WS221" in refused(desk, "release", "WS221")


def test_a_bad_build_is_neither_released_nor_pushed(desk):
    verdicts.bad(desk, "WS221", "half of the genes are missing")

    for kind in ("release", "push"):
        told = refused(desk, kind, "WS221")
        assert "half of the genes are missing" in told and "wb_release.good build=WS221" in told
    verdicts.good(desk, "WS221")
    assert desk.plan(request("release", "WS221")).plan.needs_golive


def test_the_live_build_is_not_marked_bad(desk):
    with pytest.raises(BadRequest, match=r"orch\.rollback"):
        verdicts.bad(desk, "WS220", "no")


def test_accepting_a_build_lifts_its_hold_and_stays_on_record(desk):
    verdicts.hold(desk, "WS221", "genes: 3 instead of 1000")
    desk.nodes.world.sealed.add("WS221")
    verdicts.accept(desk, "WS221", "it is a test build")

    known = desk.ledger.known()
    assert known.hold(WS221) is None
    assert known.verdict(ACCEPTED, WS221).reason == "it is a test build"


@pytest.mark.parametrize("reason", ["", "  ", 7])
def test_a_verdict_wants_a_reason(desk, reason):
    for say in (
        lambda: verdicts.hold(desk, "", reason),
        lambda: verdicts.bad(desk, "WS221", reason),
    ):
        with pytest.raises(BadRequest, match="reason"):
            say()
    assert not desk.ledger.known().verdicts


def test_lifting_what_was_never_said_tells_so(desk):
    assert "was not held" in verdicts.unhold(desk, "")


def test_status_shows_them(desk):
    verdicts.hold(desk, "", "wait")
    (told,) = queries.status(desk)["verdicts"]
    assert told.startswith("everything: hold (") and told.endswith("wait)")


def test_a_ledger_of_the_first_version_gets_the_table(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.judge(BAD, WS221, "x", "me")
    with sqlite3.connect(ledger.path) as old:
        old.execute("drop table verdict")
        old.execute("pragma user_version = 1")

    ledger.judge(HOLD, None, "y", "me")
    assert [one.kind for one in ledger.known().verdicts] == [HOLD]


def test_a_ledger_whose_verdicts_had_no_digest_gets_the_column(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.judge(ACCEPTED, WS221, "x", "me", "of a sealing")
    with sqlite3.connect(ledger.path) as old:
        old.execute("alter table verdict drop column digest")
        old.execute("pragma user_version = 5")

    (found,) = ledger.known().verdicts
    assert (found.kind, found.digest) == (ACCEPTED, "")
    ledger.judge(ACCEPTED, WS221, "x", "me", "of a sealing")
    assert ledger.known().verdict(ACCEPTED, WS221).digest == "of a sealing"
