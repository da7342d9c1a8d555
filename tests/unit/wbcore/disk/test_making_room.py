"""wbcore.disk.making_room: which builds make room on a node, over thousands of random nodes."""

from cluster import release
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from test_retention import DATASETS, known, needed, situations
from wbcore.datasets import Dataset
from wbcore.disk.making_room import Room, Taken, make_room
from wbcore.disk.retention import Used, may_go, removal, used
from wbcore.disk.space import Disk, Need, below_floor
from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.names import Build
from wbcore.settings import Retention

DEVICES = ["8:1", "8:2"]
NEEDS = st.builds(Need, st.integers(0, 40), st.integers(0, 10))
thousands = example_settings(max_examples=500, deadline=None)


@st.composite
def nodes(draw):
    """What is lacking on a node and lies there, who may go, and what stays; and the situation
    that it was made of, with each release in the ledger using some datasets."""
    _, ledger, retention, in_use = draw(situations())
    taken = draw(
        st.dictionaries(DATASETS, st.builds(Taken, st.sampled_from(DEVICES), NEEDS), max_size=14)
    )
    switching = [ledger.switch.before, ledger.switch.after] if ledger.switch else []
    for one in [*ledger.stack, *filter(None, switching)]:
        datasets = draw(st.lists(st.sampled_from(sorted(taken)), max_size=3)) if taken else []
        ledger.releases[one] = ReleaseRecord(one, "", "", {}, datasets)
    pulled = Used(Build(224), "it is being pulled", frozenset(draw(st.sets(DATASETS, max_size=2))))
    builds = {Dataset.parse(dataset).build for dataset in taken}
    lacking = draw(st.dictionaries(st.sampled_from(DEVICES), NEEDS, max_size=2))
    going = may_go(builds, ledger, retention, in_use)
    stays = [*used(ledger, retention), pulled]
    return lacking, taken, going, stays, (ledger, retention, in_use)


def freed(taken, builds):
    """What goes with some builds, by device."""
    total = dict.fromkeys(DEVICES, Need())
    for datasets in builds.values():
        for dataset in datasets:
            total[taken[dataset].device] += taken[dataset].need
    return total


def is_enough(lacking, total):
    return not any(need - total[device] for device, need in lacking.items())


@thousands
@given(nodes())
def test_what_is_live_the_way_back_pinned_or_in_use_is_never_chosen(node):
    lacking, taken, going, stays, situation = node
    room = make_room(lacking, taken, going, stays)

    assert not set(room.purge) & needed(*situation)
    protected = {dataset for one in stays for dataset in one.datasets}
    for build, datasets in room.purge.items():
        assert datasets and not set(datasets) & protected
        assert all(Dataset.parse(dataset).build == build for dataset in datasets)


@thousands
@given(nodes())
def test_it_is_enough_if_there_is_enough(node):
    lacking, taken, going, stays, _ = node
    room = make_room(lacking, taken, going, stays)
    everything = freed(taken, {build: removal(taken, build, stays).remove for build in going})

    assert room.freeable == {device: everything[device] for device in lacking}
    assert (not room.short) == is_enough(lacking, everything)
    assert (not room.short) == is_enough(lacking, freed(taken, room.purge))
    for device, need in room.short.items():
        assert need == lacking[device] - everything[device]


@thousands
@given(nodes())
def test_no_more_goes_than_it_takes_in_the_order_given(node):
    lacking, taken, going, stays, _ = node
    room = make_room(lacking, taken, going, stays)
    chosen = list(room.purge)

    assert chosen == [build for build in going if build in room.purge]
    for number, build in enumerate(chosen):
        before = freed(taken, {one: room.purge[one] for one in chosen[:number]})
        with_it = freed(taken, {one: room.purge[one] for one in chosen[: number + 1]})
        left = {device: need - before[device] for device, need in lacking.items()}
        # Something was lacking still, and the build helps.
        assert left != {device: need - with_it[device] for device, need in lacking.items()}, build
    # Whoever comes before the last one and stays would not have helped.
    for build in going[: going.index(chosen[-1])] if chosen else []:
        if build not in room.purge:
            earlier = [one for one in chosen if going.index(one) < going.index(build)]
            total = freed(taken, {one: room.purge[one] for one in earlier})
            more = freed(taken, {build: removal(taken, build, stays).remove})
            for device, need in lacking.items():
                left = need - total[device]
                assert left - more[device] == left


@given(nodes())
def test_nothing_goes_where_nothing_is_lacking(node):
    _, taken, going, stays, _ = node

    assert make_room({}, taken, going, stays) == Room()
    assert make_room({"8:1": Need()}, taken, going, stays).purge == {}


def test_a_bad_build_goes_first_then_the_oldest_and_the_rest_stays():
    taken = {
        f"mysql/c_elegans_WS{number}": Taken("8:1", Need(100, 3)) for number in range(216, 223)
    }
    ledger = known(release("WS219"), release("WS220"), bad=[Build(222)])
    going = may_go([Build(number) for number in range(216, 223)], ledger, Retention())

    room = make_room({"8:1": Need(150)}, taken, going, [])
    assert list(room.purge) == [Build(222), Build(216)]
    room = make_room({"8:1": Need(500)}, taken, going, [])
    assert list(room.purge) == [Build(222), Build(216), Build(217), Build(218)][:4]
    assert room.short == {"8:1": Need(100)}
    assert make_room({"8:2": Need(1)}, taken, going, []) == Room(
        {}, {"8:2": Need()}, {"8:2": Need(1)}
    )


def test_inodes_count_as_bytes_do():
    taken = {"support/WS215/gene": Taken("8:1", Need(0, 50))}
    room = make_room({"8:1": Need(0, 20)}, taken, [Build(215)], [])

    assert room.purge == {Build(215): ("support/WS215/gene",)} and not room.short


def test_a_disk_needs_its_headroom_only_when_something_comes():
    disk = Disk(100, 1000, 10, 100)

    assert disk.wanted(Need(), 5) == Need()
    assert disk.wanted(Need(10, 1), 5) == Need(60, 6)
    assert Disk(100, 1000, None, None).wanted(Need(10, 1), 5) == Need(60)


def test_how_far_a_disk_is_below_the_floor():
    disk = {"device": "8:1", "bytes_free": 80, "bytes_total": 1000}

    assert below_floor([disk, disk], 10, {}) == {"8:1": Need(20)}
    assert below_floor([disk], 5, {}) == {"8:1": Need()}
    assert below_floor([disk], 10, {"8:1": 7}) == {"8:1": Need(27)}
    assert below_floor([disk], 10, {"8:1": -30}) == {"8:1": Need()}
