"""Runs on nodes whose disks are nearly full: what a push and a release purge, and when not."""

import contextlib
import dataclasses

import pytest
from cluster import World, request, settings
from rehearsal import Desk, staged
from simulated_nodes import FAIL, KILL_AFTER, KILL_BEFORE, LOSE, Killed
from wbcore.errors import ReleaseError, StepFailed
from wbcore.names import Build
from wbmaster.commands import verdicts

NODE = "wb-web2"


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live, WS217 to WS219 left on the nodes, and WS221 staged."""
    builds = [f"WS{number}" for number in range(217, 222)]
    return staged(World(settings(retention={"keep": 9})), memory / "before", *builds)


def builds_on(desk: Desk, node: str) -> set[int]:
    """The builds whose AceDB database a node holds."""
    held = desk.nodes.world.held[node]
    return {int(one[-3:]) for one in held if one.startswith("acedb/")}


def leave(desk: Desk, count: int, node: str = NODE) -> None:
    """Leave room for so many datasets on a node."""
    desk.nodes.disks[node] = 1000 * (len(desk.nodes.world.held[node]) + count)


def rules(desk: Desk, **retention) -> None:
    changed = dataclasses.replace(desk.settings.retention, **retention)
    desk.settings = dataclasses.replace(desk.settings, retention=changed)


# WS221 brings an AceDB database, a MySQL database and a folder of support databases to a web
# node, each of which takes 1000 bytes; an older build frees as much and its webapp.


def test_a_push_purges_the_oldest_build_and_no_more_than_it_takes(desk):
    leave(desk, 2)
    desk.run(request("push", "WS221"))

    assert builds_on(desk, NODE) == {218, 219, 220, 221}
    assert builds_on(desk, "wb-web1") == {217, 218, 219, 220, 221}
    assert not any(one.startswith("webapp/WS217") for one in desk.nodes.world.held[NODE])
    # It was never rebuilt since, so WS220 uses it.
    assert "mysql/clustal_WS217" in desk.nodes.world.held[NODE]
    assert desk.changes["check_disk_space"] == {
        NODE: {"WS217": "purged to make room, 4.0 kB"},
    }
    figures = desk.ledger.runs(1)[0]["figures"]["check_disk_space"]
    assert figures == {"purged": {NODE: 4000}}


def test_a_push_with_room_purges_nothing(desk):
    leave(desk, 3)
    desk.run(request("push", "WS221"))

    assert desk.changes["check_disk_space"] == {}
    assert builds_on(desk, NODE) == {217, 218, 219, 220, 221}


def test_a_node_without_room_for_the_parcels_stops_before_anything_is_copied(desk):
    desk.nodes.disks[f"{NODE}:/var"] = 2
    with pytest.raises(StepFailed) as caught:
        desk.run(request("push", "WS221"))

    assert str(caught.value) == (
        f"{NODE}: the disk of parcels needs 3 B for WS221 and the headroom, has 2 B, a purge could "
        "free 0 B: short of 1 B; make room there, or see wormbase:retention, and run the same "
        "command again"
    )
    assert "wb_dataset.pull" not in {function for _, function in desk.nodes.asked}
    assert builds_on(desk, NODE) == {217, 218, 219, 220}

    del desk.nodes.disks[f"{NODE}:/var"]
    desk.run(request("push", "WS221"))
    assert 221 in builds_on(desk, NODE)


def test_a_bad_build_goes_first(desk):
    desk.run(request("push", "WS221"))
    verdicts.bad(desk, "WS221", "half of the genes are missing")
    desk.nodes.world.stage("WS222")
    leave(desk, 0)
    desk.run(request("push", "WS222"))

    assert list(desk.changes["check_disk_space"][NODE]) == ["WS221"]
    assert builds_on(desk, NODE) == {217, 218, 219, 220, 222}


def test_what_a_killed_push_left_is_swept_before_the_disk_is_looked_at(desk):
    leave(desk, 5)
    desk.nodes.begun[NODE] = {"acedb/wormbase_WS216": 4000, "acedb/wormbase_WS221": 500}
    desk.forecast(request("push", "WS221"))
    assert "acedb/wormbase_WS216" in desk.nodes.begun[NODE]
    desk.run(request("push", "WS221"))

    assert desk.changes["check_disk_space"] == {}
    assert desk.nodes.begun[NODE] == {"acedb/wormbase_WS221": 500}


def test_no_parcel_leads_from_what_was_purged(desk):
    desk.run(request("push", "WS221"))
    verdicts.bad(desk, "WS221", "half of the genes are missing")
    desk.nodes.world.stage("WS222")
    for node in desk.settings.serving:
        leave(desk, 0, node)
    asked = []
    make = desk.nodes.wb_parcel_make
    desk.nodes.wb_parcel_make = lambda node, **order: (
        asked.append(order["wanted"]) or make(node, **order)
    )
    desk.run(request("push", "WS222"))

    assert {one["base"] for one in asked[0] if one["dataset"].startswith("acedb/")} == {
        "acedb/wormbase_WS220"
    }


@pytest.mark.parametrize(
    "pins", [{"pinned": ("WS217",)}, {"pinned_every": 7}], ids=["named", "every"]
)
def test_a_pinned_build_stays(desk, pins):
    rules(desk, **pins)
    leave(desk, 0)
    desk.run(request("push", "WS221"))

    assert list(desk.changes["check_disk_space"][NODE]) == ["WS218"]


def test_live_and_way_back_stay_and_the_refusal_has_the_figures(desk):
    rules(desk, pinned=("WS218",))
    desk.nodes.disks[NODE] = 1000 * len(desk.nodes.world.held[NODE]) - 2000
    before = {node: dict(held) for node, held in desk.nodes.world.held.items()}
    with pytest.raises(StepFailed) as refused:
        desk.run(request("release", "WS221"))

    assert str(refused.value) == (
        "wb-web2: the disk of acedb, mysql, support, webapp needs 3.0 kB for WS221 and the "
        "headroom, has -2.0 kB, a purge could free 4.0 kB: short of 1.0 kB; make room there, or "
        "see wormbase:retention, and run the same command again"
    )
    assert desk.nodes.world.held == before
    assert not {function for _, function in desk.nodes.asked} & {
        "wb_dataset.remove",
        "wb_dataset.pull",
        "wb_parcel.make",
    }


def test_one_node_without_room_keeps_every_node_from_purging(desk):
    leave(desk, 0)
    desk.nodes.disks["canopus"] = 1000
    with pytest.raises(StepFailed, match=r"^canopus: "):
        desk.run(request("push", "WS221"))

    assert builds_on(desk, NODE) == {217, 218, 219, 220}


def test_a_disk_that_frees_less_than_was_reckoned_is_asked_again(desk):
    leave(desk, 0)
    remove = desk.nodes.wb_dataset_remove

    def shared(node, datasets, **how):
        # What goes shares half of its blocks with what stays.
        desk.nodes.disks[node] -= 500 * len(datasets)
        return remove(node, datasets, **how)

    desk.nodes.wb_dataset_remove = shared
    desk.run(request("push", "WS221"))

    assert list(desk.changes["check_disk_space"][NODE]) == ["WS217", "WS218"]
    assert desk.ledger.runs(1)[0]["figures"]["check_disk_space"] == {"purged": {NODE: 8000}}


def test_a_dry_run_says_what_would_go_and_purges_nothing(desk):
    leave(desk, 0)
    before = {node: dict(held) for node, held in desk.nodes.world.held.items()}
    told = desk.forecast(request("release", "WS221"))

    assert told["check_disk_space"] == {NODE: {"WS217": "would be purged to make room, 4.0 kB"}}
    assert desk.nodes.world.held == before
    desk.run(request("release", "WS221"))
    assert set(desk.changes["check_disk_space"][NODE]) == {"WS217"}


def test_a_dry_run_does_not_purge_a_build_twice(desk):
    rules(desk, keep=2)
    leave(desk, 0)
    told = desk.forecast(request("release", "WS221"))
    desk.run(request("release", "WS221"))

    assert NODE not in told["purge_old_releases"].get("WS217", {})
    assert told["purge_old_releases"] == desk.changes["purge_old_releases"]


def test_a_dry_run_is_refused_as_the_run_would_be(desk):
    desk.nodes.disks[NODE] = 1000
    with pytest.raises(StepFailed, match="short of"):
        desk.forecast(request("push", "WS221"))


# The floor


def test_below_the_floor_builds_go_that_are_kept_elsewhere(desk):
    rules(desk, free_percent=50)
    for node in desk.settings.serving:
        desk.nodes.disks[node] = 10**6
    # Four datasets come with the release, its webapp among them; then the disk is 2 kB below
    # the floor.
    held = len(desk.nodes.world.held[NODE]) + 4
    desk.nodes.disks[NODE] = 2000 * (held - 2)
    told = desk.forecast(request("release", "WS221"))
    desk.run(request("release", "WS221"))

    assert desk.changes["purge_old_releases"] == {"WS217": {NODE: 4000}}
    assert builds_on(desk, NODE) == {218, 219, 220, 221}
    assert builds_on(desk, "wb-web1") == {217, 218, 219, 220, 221}
    assert told["purge_old_releases"] == {"WS217": {NODE: 4000}}


def test_below_a_floor_that_can_not_be_reached_all_goes_that_may(desk):
    rules(desk, free_percent=90)
    desk.nodes.disks[NODE] = 60_000
    desk.run(request("release", "WS221"))

    assert builds_on(desk, NODE) == {220, 221}
    assert desk.nodes.wrong == []


def test_after_a_release_a_bad_build_is_not_among_those_that_are_kept(desk):
    rules(desk, keep=2)
    verdicts.bad(desk, "WS218", "half of the genes are missing")
    desk.run(request("release", "WS221"))

    assert builds_on(desk, NODE) == {217, 219, 220, 221}


def test_the_builds_that_are_kept_are_the_same_on_every_node(desk):
    rules(desk, keep=1)
    for node in (NODE, "wb-mining"):
        held = desk.nodes.world.held[node]
        desk.nodes.world.held[node] = {one: held[one] for one in held if "WS219" not in one}
    desk.run(request("release", "WS221"))

    assert builds_on(desk, NODE) == {220, 221}
    assert builds_on(desk, "wb-web1") == {219, 220, 221}


# Trouble


@pytest.mark.parametrize("trouble", [FAIL, LOSE, KILL_BEFORE, KILL_AFTER])
def test_whatever_happens_on_the_way_the_same_command_does_the_rest(before, memory, trouble):
    def full(name: str) -> Desk:
        desk = before.again(memory / f"{trouble} {name}")
        leave(desk, 0)
        leave(desk, 1, "canopus")
        return desk

    probe = full("probe")
    probe.run(request("push", "WS221"))
    calls = [
        number
        for number, (_, function) in enumerate(probe.nodes.asked)
        if function in ("wb_disk.check", "wb_dataset.remove")
    ]
    # Every node is asked, two are short and asked again, and all are when parcels are made.
    assert len(calls) == 5 + 2 + 2 + 5
    for call in calls:
        desk = full(str(call))
        said = ""
        with contextlib.suppress(Killed, ReleaseError):
            said = desk.run(request("push", "WS221"), {call: trouble})
        if not said or "left out: " in said:
            desk.run(request("push", "WS221"))
        assert desk.nodes.wrong == []
        assert builds_on(desk, NODE) == {218, 219, 220, 221}
        assert builds_on(desk, "canopus") == {218, 219, 220, 221}
        assert builds_on(desk, "wb-web1") == {217, 218, 219, 220, 221}
        assert str(desk.live.build) == str(Build(220))
        desk.wire.close()
