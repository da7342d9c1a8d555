"""wbcore.disk.retention: what is live, in use, pinned or a way back never goes."""

from cluster import release
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from wbcore.datasets import Dataset
from wbcore.disk.retention import Used, expired, may_go, removal, ways_back
from wbcore.model.ledger_facts import Known, Switch
from wbcore.names import Build
from wbcore.settings import Retention
from wbcore.verdicts import BAD, Verdict

thousands = example_settings(max_examples=600, deadline=None)

BUILDS = st.integers(215, 224).map(Build)
RELEASES = st.builds(
    lambda build, revision: release(str(build), revision), BUILDS, st.integers(1, 4)
)
DATASETS = st.builds(
    lambda form, build: form.format(build),
    st.sampled_from(
        ["acedb/wormbase_{}", "mysql/c_elegans_{}", "mysql/clustal_{}", "support/{}/blast"]
    ),
    BUILDS,
)
STACKS = st.lists(RELEASES, max_size=8)
WS219, WS220, WS221 = Build(219), Build(220), Build(221)


def test_ways_back_of_a_first_release_are_none():
    assert ways_back(Known([])) == []
    assert ways_back(Known([release("WS220")])) == []


def test_ways_back_are_the_release_before():
    stack = [release("WS219"), release("WS220"), release("WS221")]

    assert ways_back(Known(stack)) == [release("WS220")]


def test_ways_back_after_minor_revisions_lead_to_the_build_before_as_well():
    stack = [release("WS219"), release("WS220", 9), *(release("WS221", n) for n in (1, 2, 3))]

    assert ways_back(Known(stack)) == [release("WS221", 2), release("WS220", 9)]


@given(STACKS)
def test_ways_back_never_hold_the_live_release_of_a_longer_stack(stack):
    back = ways_back(Known(stack))

    assert len(back) == len(set(back)) <= 2
    assert set(back) <= set(stack[:-1])
    if len(stack) > 1:
        assert back[0] == stack[-2]
        assert not any(one.build != stack[-1].build for one in stack[:-1]) or any(
            one.build != stack[-1].build for one in back
        )


@given(
    st.sets(DATASETS),
    BUILDS,
    st.lists(st.builds(Used, RELEASES, st.just("it is live"), st.frozensets(DATASETS))),
)
def test_removal_takes_exactly_what_nobody_uses_of_the_build(found, build, used):
    chosen = removal(found, build, used)
    in_use = {dataset for one in used for dataset in one.datasets}
    of_build = {dataset for dataset in found if Dataset.parse(dataset).build == build}

    assert not set(chosen.remove) & in_use
    assert set(chosen.remove) | set(chosen.kept) == of_build
    assert set(chosen.kept) == of_build & in_use
    assert list(chosen.remove) == sorted(chosen.remove)


def test_removal_names_the_first_reason_to_keep():
    used = [
        Used(release("WS221"), "it is live", frozenset({"mysql/clustal_WS219"})),
        Used(release("WS220"), "it is the way back", frozenset({"mysql/clustal_WS219"})),
    ]
    chosen = removal(["mysql/clustal_WS219", "mysql/c_elegans_WS219"], WS219, used)

    assert chosen.remove == ("mysql/c_elegans_WS219",)
    assert chosen.kept == {"mysql/clustal_WS219": "WS221-2010.12.24-0.02-1350 uses it (it is live)"}


# Who goes, and in which order


def known(*stack, bad=(), switch=None):
    """A ledger with these releases live one after the other, and these builds marked bad."""
    marked = tuple(Verdict(BAD, build, "half is missing", "me", 0) for build in bad)
    return Known(stack, {}, switch, verdicts=marked)


@st.composite
def situations(draw):
    """Builds that are found, a ledger, rules, and builds that a run works with."""
    stack = draw(STACKS)
    switch = st.builds(Switch, st.just("run"), st.none() | RELEASES, RELEASES)
    return (
        draw(st.sets(BUILDS)),
        known(*stack, bad=draw(st.sets(BUILDS)), switch=draw(st.none() | switch)),
        Retention(
            draw(st.integers(0, 3)),
            tuple(map(str, draw(st.sets(BUILDS, max_size=2)))),
            draw(st.integers(0, 10)),
        ),
        draw(st.sets(BUILDS, max_size=2)),
    )


def needed(ledger, retention, in_use):
    """The builds that must never go."""
    switching = [ledger.switch.before, ledger.switch.after] if ledger.switch else []
    releases = [*ledger.stack[-1:], *ways_back(ledger), *filter(None, switching)]
    pinned = {build for build in map(Build, range(215, 225)) if retention.pins(build)}
    return {one.build for one in releases} | pinned | set(in_use)


def test_expired_before_the_first_release_is_nothing():
    assert expired([WS219, WS220], known(), Retention(keep=0)) == []


def test_expired_keeps_the_newest_of_the_old_ones():
    builds = [Build(number) for number in range(215, 223)]
    ledger = known(release("WS220"), release("WS221"))

    assert expired(builds, ledger, Retention(2, ("WS216",))) == [Build(215), Build(217)]


def test_a_bad_build_goes_first_and_is_not_among_those_that_are_kept():
    builds = [Build(number) for number in range(215, 224)]
    ledger = known(release("WS220"), release("WS221"), bad=[Build(223), Build(218)])

    assert may_go(builds, ledger, Retention()) == [Build(n) for n in (218, 223, 215, 216, 217, 219)]
    assert expired(builds, ledger, Retention(keep=2)) == [Build(n) for n in (218, 223, 215, 216)]


def test_every_tenth_build_is_pinned():
    builds = [Build(number) for number in range(205, 222)]
    ledger = known(release("WS220"), release("WS221"))

    assert Build(210) not in expired(builds, ledger, Retention(0, (), 10))
    assert Build(210) in expired(builds, ledger, Retention(0, (), 0))


@thousands
@given(situations())
def test_what_may_go_is_never_needed_and_goes_in_order(situation):
    builds, ledger, retention, in_use = situation
    going = may_go(builds, ledger, retention, in_use)
    is_bad = [ledger.verdict(BAD, build) is not None for build in going]

    assert len(going) == len(set(going)) and set(going) <= builds
    assert not set(going) & needed(ledger, retention, in_use)
    assert going == sorted(going, key=lambda build: (not ledger.verdict(BAD, build), build))
    assert all(bad or build < ledger.live.build for bad, build in zip(is_bad, going, strict=True))
    # Nothing is passed over that the rules let go.
    for build in builds - needed(ledger, retention, in_use) - set(going):
        assert not ledger.verdict(BAD, build)
        assert ledger.live is None or build > ledger.live.build


@thousands
@given(situations())
def test_expired_is_all_that_may_go_but_the_newest_good_ones(situation):
    builds, ledger, retention, in_use = situation
    going = may_go(builds, ledger, retention, in_use)
    over = expired(builds, ledger, retention, in_use)
    kept = [build for build in going if build not in over]

    assert [build for build in going if build in over] == over
    assert not any(ledger.verdict(BAD, build) for build in kept)
    good = [build for build in going if not ledger.verdict(BAD, build)]
    assert kept == good[len(good) - min(retention.keep, len(good)) :]
