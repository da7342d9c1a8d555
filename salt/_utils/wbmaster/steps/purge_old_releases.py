"""Step 2 of the wiki page: old releases go, by the rules of retention.

It comes last in a release, when what was live before is known to be the way back. On a node
whose disk is below the floor older builds go too that would be kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wbcore.datasets import Dataset
from wbcore.disk.making_room import Taken, make_room
from wbcore.disk.retention import expired, may_go, removal, used
from wbcore.disk.space import Need, below_floor, by_device
from wbcore.model.ledger_facts import Known, ReleaseRecord
from wbcore.names import Build

from ..purging import Found, found_on, remove
from ..run import Run

STEP = "purge_old_releases"
Datasets = Mapping[str, Mapping[str, Any]]
_WAY_OUT = "look at its disk"


def forecast(run: Run) -> dict[str, Any]:
    return _purge(run, _afterwards(run), dry=True)


def take(run: Run) -> dict[str, Any]:
    return _purge(run, run.known, dry=False)


def _purge(run: Run, known: Known, dry: bool) -> dict[str, Any]:
    if not run.plan.seals:
        return {}
    found = found_on(run, run.plan.present, without=STEP)
    chosen = _expired(run, known, found)
    if run.settings.retention.free_percent:
        free = run.fleet.call(run.plan.present, "wb_disk.free", _WAY_OUT)
        for node, datasets in found.items():
            coming = _coming(run, node) if dry else {}
            left = {one: facts for one, facts in datasets.items() if one not in chosen[node]}
            chosen[node] |= _below_floor(run, known, left, free[node], [coming, chosen[node]])
    going = {node: datasets for node, datasets in chosen.items() if datasets}
    purged = remove(run, going, dry)
    if not purged.removed:
        return {}
    run.notes.measured(STEP, purged=purged.removed)
    return {**_by_build(purged.gone), **({"kept": purged.kept} if purged.kept else {})}


def _expired(run: Run, known: Known, found: Found) -> dict[str, dict[str, int]]:
    """What goes whatever room there is, of builds that are the same for every node: node →
    dataset → bytes."""
    retention = run.settings.retention
    builds = {build for datasets in found.values() for build in _builds(datasets)}
    over, reasons = expired(builds, known, retention, _in_use(run)), used(known, retention)
    return {
        node: {
            dataset: datasets[dataset]["bytes"]
            for build in over
            for dataset in removal(datasets, build, reasons).remove
        }
        for node, datasets in found.items()
    }


def _below_floor(
    run: Run, known: Known, datasets: Datasets, free: Datasets, moves: Sequence[Mapping[str, int]]
) -> dict[str, int]:
    """What goes since a disk is below the floor, as far as it helps: dataset → bytes.

    ``free`` is what ``wb_disk.free`` tells, ``moves`` the bytes that come and those that go.
    """
    retention = run.settings.retention
    device = {kind: facts["device"] for kind, facts in free.items()}
    come, go = (by_device(free, move) for move in moves)
    coming = {disk: come[disk] - go[disk] for disk in come}
    room = make_room(
        below_floor(free.values(), retention.free_percent, coming),
        {
            dataset: Taken(device[Dataset.parse(dataset).kind], Need(facts["bytes"]))
            for dataset, facts in datasets.items()
        },
        may_go(_builds(datasets), known, retention, _in_use(run)),
        used(known, retention),
    )
    # What helps a little is done too: nobody waits for more here.
    return {one: datasets[one]["bytes"] for going in room.purge.values() for one in going}


def _coming(run: Run, node: str) -> dict[str, int]:
    """What a node's disk gets before this step, less what the steps before remove."""
    removed: dict[str, int] = run.notes.removed.get(node, {})
    return {**run.plan.pull_sizes(node), **{dataset: -count for dataset, count in removed.items()}}


def _in_use(run: Run) -> list[Build]:
    return [run.request.build] if run.request.build else []


def _builds(datasets: Mapping[str, object]) -> set[Build]:
    return {Dataset.parse(dataset).build for dataset in datasets}


def _by_build(going: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """What goes, for people: build → node → bytes."""
    told: dict[Build, dict[str, int]] = {}
    for node, datasets in going.items():
        for dataset, count in datasets.items():
            of_build = told.setdefault(Dataset.parse(dataset).build, {})
            of_build[node] = of_build.get(node, 0) + count
    return {str(build): told[build] for build in sorted(told)}


def _afterwards(run: Run) -> Known:
    """What the ledger will know when the release has passed its checks."""
    release = run.plan.release
    if release is None or release == run.known.live:
        return run.known
    record = ReleaseRecord(release, "", "", run.plan.databases, list(run.plan.sizes))
    return replace(
        run.known,
        stack=[*run.known.stack, release],
        releases={**run.known.releases, release: record},
        switch=None,
    )
