"""Step 1 of the wiki page: is there room for what has to be copied, before it is copied?

Where there is not, old builds make room, no more of them than it takes; where that would not
be enough either, the run is refused and nothing is removed anywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from wbcore.datasets import Dataset
from wbcore.disk.making_room import Room, Taken, make_room
from wbcore.disk.retention import Used, may_go, used
from wbcore.disk.space import Need
from wbcore.errors import StepFailed
from wbcore.transport.parcels import of_node

from ..leaving_out import answered
from ..nodes.fleet import Call
from ..purging import remove
from ..reporting.describe import size
from ..run import Run

STEP = "check_disk_space"
Rooms = Mapping[str, Mapping[str, Any]]


def forecast(run: Run) -> dict[str, Any]:
    changes, _ = _make(run, _ask(run, run.plan.pulls), dry=True)
    return changes


def take(run: Run) -> dict[str, Any]:
    _sweep(run)
    return ensure_room(run)


def ensure_room(run: Run) -> dict[str, Any]:
    """Have the nodes make room for what they lack, and for its parcels once they are made."""
    changes: dict[str, Any] = {}
    rooms = _ask(run, run.plan.pulls)
    # Datasets may share blocks with others, so a disk says itself whether it was enough.
    while short := [node for node, room in rooms.items() if not room["ok"]]:
        made, freed = _make(run, rooms, dry=False)
        for node in short:
            changes[node] = {**changes.get(node, {}), **made[node]}
        _count(run, freed)
        rooms = _ask(run, short)
    return changes


def _count(run: Run, freed: Mapping[str, int]) -> None:
    """Add bytes that were freed on nodes to the figures of the run."""
    purged = run.notes.figures.setdefault(STEP, {}).setdefault("purged", {})
    for node, count in freed.items():
        purged[node] = purged.get(node, 0) + count


def _sweep(run: Run) -> None:
    """Have nodes remove what killed runs left: a disk check cannot distinguish it."""
    if not run.plan.needs_pull:
        return
    calls = {
        node: Call({"coming": sorted(run.plan.pulls.get(node, ()))}) for node in run.plan.present
    }
    answers = run.fleet.cascade("wb_dataset.sweep", calls, lambda node, answer: None)
    answered(run, STEP, answers, "look at its disk")


def _ask(run: Run, nodes: Collection[str]) -> Rooms:
    """What nodes say of their disks, each asked for all that it lacks."""
    calls = {
        node: Call(_coming(run, node, lacking))
        for node, lacking in run.plan.pulls.items()
        if lacking and node in nodes
    }
    answers = run.fleet.cascade("wb_disk.check", calls, lambda node, answer: None)
    return answered(run, STEP, answers, "look at its disk")


def _coming(run: Run, node: str, lacking: Collection[str]) -> dict[str, Any]:
    """What comes to a node: its datasets, and how many bytes of parcels."""
    held = run.seen.nodes[node].held
    parcels = of_node(run.notes.parcels, lacking, held)
    scratch = {dataset: {"scratch": one["scratch"]} for dataset, one in parcels.items()}
    return {
        "datasets": {one: {**run.plan.sizes[one], **scratch.get(one, {})} for one in lacking},
        "parcels": sum(one["bytes"] for one in parcels.values()),
    }


def _make(run: Run, rooms: Rooms, dry: bool) -> tuple[dict[str, dict[str, str]], dict[str, int]]:
    """Make room where it is lacking: what goes of which build (node → build → bytes in words),
    and the bytes freed by node. StepFailed, before anything goes, where it would not do."""
    chosen = {node: _choose(run, node, room) for node, room in rooms.items() if not room["ok"]}
    going = {
        node: {
            dataset: rooms[node]["purgeable"][dataset]["bytes"]
            for datasets in room.purge.values()
            for dataset in datasets
        }
        for node, room in chosen.items()
    }
    freed = remove(run, going, dry).removed
    done = "would be purged" if dry else "purged"
    told = {
        node: {
            str(build): f"{done} to make room, {size(sum(going[node][one] for one in datasets))}"
            for build, datasets in room.purge.items()
        }
        for node, room in chosen.items()
    }
    return told, freed


def _choose(run: Run, node: str, room: Mapping[str, Any]) -> Room:
    wanted = {device: Need(**disk["needs"]) for device, disk in room["disks"].items()}
    has = {device: Need(**disk["has"]) for device, disk in room["disks"].items()}
    taken = {
        dataset: Taken(facts["device"], Need(facts["bytes"], facts["inodes"]))
        for dataset, facts in room["purgeable"].items()
    }
    builds = {Dataset.parse(dataset).build for dataset in taken}
    pulled = run.request.named
    made = make_room(
        {device: need - has[device] for device, need in wanted.items()},
        taken,
        may_go(builds, run.known, run.settings.retention, [pulled]),
        [
            *used(run.known, run.settings.retention),
            Used(pulled, "it is being pulled", frozenset(run.plan.sizes)),
        ],
    )
    for device, short in made.short.items():
        kinds = ", ".join(room["disks"][device]["kinds"])
        raise StepFailed(
            f"the disk of {kinds} needs {_amount(wanted[device], short)} for {pulled} "
            f"and the headroom, has {_amount(has[device], short)}, a purge could free "
            f"{_amount(made.freeable[device], short)}: short of {_amount(short, short)}",
            "make room there, or see wormbase:retention, and run the same command again",
            node=node,
        )
    return made


def _amount(need: Need, short: Need) -> str:
    """A need in words, in what there is too little of."""
    words = [size(need.bytes)] if short.bytes else []
    words += [f"{need.inodes:,} inodes"] if short.inodes else []
    return " and ".join(words)
