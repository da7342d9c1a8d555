"""wbcore.retention: what is live, in use, pinned or a way back never goes."""

from cluster import release
from hypothesis import given
from hypothesis import strategies as st
from wbcore.datasets import Dataset
from wbcore.names import Build
from wbcore.retention import Used, expired, removal, ways_back

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
    assert ways_back([]) == []
    assert ways_back([release("WS220")]) == []


def test_ways_back_are_the_release_before():
    stack = [release("WS219"), release("WS220"), release("WS221")]

    assert ways_back(stack) == [release("WS220")]


def test_ways_back_after_minor_revisions_lead_to_the_build_before_as_well():
    stack = [release("WS219"), release("WS220", 9), *(release("WS221", n) for n in (1, 2, 3))]

    assert ways_back(stack) == [release("WS221", 2), release("WS220", 9)]


@given(STACKS)
def test_ways_back_never_hold_the_live_release_of_a_longer_stack(stack):
    back = ways_back(stack)

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


def test_expired_before_the_first_release_is_nothing():
    assert expired([WS219, WS220], [], 0, []) == []


def test_expired_keeps_the_newest_of_the_old_ones():
    builds = [Build(number) for number in range(215, 223)]
    stack = [release("WS220"), release("WS221")]

    assert expired(builds, stack, 2, [Build(216)]) == [Build(215), Build(217)]


@given(st.sets(BUILDS), STACKS, st.integers(0, 3), st.sets(BUILDS))
def test_expired_never_chooses_what_is_needed(builds, stack, keep, pinned):
    chosen = expired(builds, stack, keep, pinned)
    needed = {one.build for one in [*stack[-1:], *ways_back(stack)]} | pinned

    assert set(chosen) <= builds
    assert not set(chosen) & needed
    assert all(build < stack[-1].build for build in chosen)
    old = {build for build in builds - needed if stack and build < stack[-1].build}
    assert len(chosen) == max(0, len(old) - keep)
    assert all(build < kept for build in chosen for kept in old - set(chosen))
