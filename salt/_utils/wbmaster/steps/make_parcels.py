"""Parcels: the development server makes what leads nodes from what they hold to the build."""

from __future__ import annotations

from typing import Any

from wbcore.transport import parcels

from ..reporting.describe import size
from ..run import Run
from . import check_disk_space


def forecast(run: Run) -> dict[str, Any]:
    return {one["dataset"]: f"a parcel would be made from {one['base']}" for one in wanted(run)}


def take(run: Run) -> dict[str, Any]:
    lacking = wanted(run)
    if not lacking:
        return {}
    made = run.fleet.one(
        run.settings.staging,
        "wb_parcel.make",
        "run the same command again",
        name=run.build,
        wanted=lacking,
    )
    run.notes.parcels = made["parcels"]
    sizes = [one["bytes"] for bases in made["parcels"].values() for one in bases.values()]
    run.notes.measured(
        "make_parcels", parcels=len(sizes), bytes=sum(sizes), without=len(made["without"])
    )
    told = {
        dataset: ", ".join(f"{size(one['bytes'])} from {base}" for base, one in bases.items())
        for dataset, bases in made["parcels"].items()
    }
    # Only now is it known what they take of the nodes' disks.
    return told | check_disk_space.ensure_room(run)


def wanted(run: Run) -> list[dict[str, str]]:
    """The parcels that the nodes need: dataset and base, a dictionary each."""
    held = {node: seen.held for node, seen in run.seen.nodes.items()}
    return parcels.wanted(run.plan.pulls, held) if run.plan.seals else []
