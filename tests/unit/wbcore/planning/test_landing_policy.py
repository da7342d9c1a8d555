"""wbcore.planning.landing_policy: what a landing starts, for every policy and fact."""

from datetime import UTC, datetime

import pytest
from cluster import release, request, settings
from hypothesis import given
from hypothesis import strategies as st
from wbcore.events import COMMAND, EVENT
from wbcore.hours import Hours
from wbcore.model.landing import (
    ANSWERED,
    BEGIN_SECONDS,
    MOST_STARTS,
    STARTED,
    WAITING,
    Landing,
    settled,
)
from wbcore.names import Build
from wbcore.planning.landing_policy import Facts, decide
from wbcore.requests import Request
from wbcore.verdicts import BAD, HOLD, Verdict

WS221 = Build(221)
LIVE = release("WS220")
# A Monday.
NOON = datetime(2010, 12, 20, 12, tzinfo=UTC)
OFFICE = "mon-fri 06:00-18:00"
NIGHT = "22:00-04:00"
BUILD = Landing(WS221, cause="landed")
MINOR = Landing(Build(220), "0.02-1351", "poll")
HELD = Verdict(HOLD, None, "the curators look", "ann", 0.0)
MARKED = Verdict(BAD, WS221, "half of it is missing", "ann", 0.0)


def policy(**given):
    return settings(landing=given).landing


def decided(landing=BUILD, facts=None, now=NOON, **given):
    return decide(landing, policy(**given), facts or Facts(live=LIVE), now)


@pytest.mark.parametrize(
    ("given", "state", "start", "says"),
    [
        ({}, STARTED, request("release", "WS221"), "release of WS221 was started"),
        ({"hours": OFFICE}, STARTED, request("release", "WS221"), "was started"),
        ({"hours": NIGHT}, WAITING, request("push", "WS221"), "goes live in the hours"),
        ({"start": "push"}, STARTED, request("push", "WS221"), "landing:start is push"),
        ({"start": "nothing"}, ANSWERED, None, "landing:start is nothing"),
    ],
)
def test_a_policy_says_what_a_landing_starts(given, state, start, says):
    told = decided(**given)

    assert (told.state, told.start) == (state, start)
    assert says in told.answer


@pytest.mark.parametrize("landing", [BUILD, Landing(WS221, cause=COMMAND)])
@pytest.mark.parametrize(
    ("facts", "state", "says"),
    [
        (Facts(live=release("WS221")), ANSWERED, "is live already"),
        (Facts(live=release("WS222")), ANSWERED, "WS221 is older than the live WS222-"),
        (Facts(bad=MARKED), ANSWERED, "bad by ann (half of it is missing)"),
        (Facts(left=True), ANSWERED, "left by going back"),
        (Facts(newer="WS222"), ANSWERED, "WS222 landed after WS221"),
        (Facts(hold=HELD), WAITING, "everything is held by ann (the curators look)"),
        (Facts(at_work="orch.purge {build: WS1}"), WAITING, "until orch.purge {build: WS1} has"),
        (Facts(at_work="orch.release {build: WS221}"), STARTED, "is running"),
    ],
)
def test_what_is_known_keeps_a_landing_from_starting_anything(landing, facts, state, says):
    told = decided(landing, facts)

    assert (told.state, told.start) == (state, None)
    assert says in told.answer


def test_what_failed_is_started_again_by_a_command_only():
    tried = Facts(live=LIVE, tried=True)

    assert "only a command on the master starts it again" in decided(BUILD, tried).answer
    for cause in ("poll", EVENT):
        assert decided(Landing(WS221, cause=cause), tried).start is None
    assert decided(Landing(WS221, cause=COMMAND), tried).start == request("release", "WS221")


def test_outside_the_hours_a_build_is_pushed_once():
    pushed = Landing(WS221, state=WAITING, started="push")

    assert decided(pushed, hours=NIGHT).start is None
    assert decided(pushed, hours=NIGHT).state == WAITING
    assert decided(pushed, hours=OFFICE).start == request("release", "WS221")


def test_what_was_to_be_pushed_only_is_answered_then():
    pushed = Landing(WS221, state=WAITING, started="push")

    assert decided(pushed, start="push").state == ANSWERED
    assert decided(pushed, start="push").start is None


@pytest.mark.parametrize(
    ("given", "state", "start"),
    [
        ({"minor": True}, STARTED, request("release", "WS220", minor=True)),
        ({"minor": True, "hours": NIGHT}, WAITING, None),
        ({"minor": True, "start": "push"}, ANSWERED, None),
        ({"minor": False}, ANSWERED, None),
    ],
)
def test_a_minor_revision_lands_where_the_policy_lets_it(given, state, start):
    told = decided(MINOR, **given)

    assert (told.state, told.start) == (state, start)


@pytest.mark.parametrize("live", [None, release("WS221"), release("WS220", 1351)])
def test_a_minor_revision_is_of_the_live_build_and_newer(live):
    assert decided(MINOR, Facts(live=live), minor=True).state == ANSWERED


BUILDS = st.builds(Build, st.integers(219, 222))
FACTS = st.builds(
    Facts,
    live=st.none() | st.builds(lambda b: release(str(b)), BUILDS),
    bad=st.none() | st.just(MARKED),
    hold=st.none() | st.just(HELD),
    tried=st.booleans(),
    left=st.booleans(),
    at_work=st.sampled_from(["", "orch.release {build: WS221}", "orch.rollback"]),
    newer=st.sampled_from(["", "WS222"]),
)
LANDINGS = st.builds(
    Landing,
    BUILDS,
    st.sampled_from(["", "0.02-1351"]),
    st.sampled_from(["landed", "poll", EVENT, COMMAND]),
    state=st.sampled_from(["new", WAITING]),
    started=st.sampled_from(["", "push", "release"]),
)
POLICIES = st.fixed_dictionaries(
    {
        "start": st.sampled_from(["release", "push", "nothing"]),
        "hours": st.sampled_from(["", OFFICE, NIGHT]),
        "minor": st.booleans(),
    }
)
TIMES = st.datetimes(datetime(2010, 1, 1), datetime(2012, 1, 1), timezones=st.just(UTC))


@given(LANDINGS, POLICIES, FACTS, TIMES)
def test_nothing_is_started_against_anything_that_is_known(landing, given, facts, now):
    told = decide(landing, policy(**given), facts, now)

    assert told.answer and told.state in (WAITING, STARTED, ANSWERED)
    if told.start is None:
        return
    assert isinstance(told.start, Request) and told.start.build == landing.build
    assert not (facts.bad or facts.left or facts.at_work or facts.newer)
    assert given["start"] != "nothing"
    assert landing.cause == COMMAND or not facts.tried
    if told.start.kind == "push":
        assert not landing.revision and landing.started != "push"
        return
    assert given["start"] == "release" and not facts.hold
    assert Hours.parse(given["hours"]).contain(now)
    if landing.revision:
        assert given["minor"] and facts.live.build == landing.build
    else:
        assert facts.live is None or landing.build > facts.live.build


RUNNING = Landing(WS221, state=STARTED, started="release", starts=1, decided=1000.0)


@pytest.mark.parametrize(("outcome", "says"), [("done", "is done"), ("failed", "failed: no disk")])
def test_a_landing_is_settled_by_the_end_of_its_run(outcome, says):
    ended = settled(RUNNING, outcome, "no disk" if outcome == "failed" else "", False, 1001.0)

    assert ended.state == ANSWERED
    assert ended.answer == f"the release of WS221 {says}"


def test_a_run_that_never_began_is_started_again_and_not_for_ever():
    late = 1000.0 + BEGIN_SECONDS
    often = Landing(WS221, state=STARTED, started="release", starts=MOST_STARTS, decided=1000.0)

    assert settled(RUNNING, None, "", False, late - 1) == RUNNING
    assert settled(RUNNING, None, "", True, late) == RUNNING
    assert settled(RUNNING, None, "", False, late).state == WAITING
    assert settled(RUNNING, "died", "", False, late).state == WAITING
    assert settled(often, None, "", False, late).state == ANSWERED
    assert "did not begin" in settled(often, None, "", False, late).answer


def test_a_push_that_never_began_is_started_again():
    pushing = Landing(WS221, state=STARTED, started="push", starts=1, decided=0.0)
    waiting = settled(pushing, None, "", False, 1e9)

    assert decided(waiting, start="push").start == request("push", "WS221")


def test_what_waits_is_not_settled_by_a_run():
    waiting = Landing(WS221, state=WAITING, started="push")

    assert settled(waiting, "done", "", False, 1e9) == waiting
