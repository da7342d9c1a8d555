"""Removing a build's datasets from nodes, all but what a release still uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wbcore.names import Build
from wbcore.retention import Used, removal

from .fleet import Call, values
from .run import Run

Found = Mapping[str, Mapping[str, Mapping[str, Any]]]
_TODO = "look at it and run the same command again"


@dataclass
class Purged:
    """What was removed (node → bytes freed) and kept (dataset → reason)."""

    removed: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


def found_on(run: Run, nodes: Sequence[str]) -> Found:
    """Every dataset on the nodes' disks: node → id → facts. A dry run leaves out what a step
    before would have removed."""
    found: Found = run.fleet.call(nodes, "wb_dataset.found", _TODO)
    gone = run.notes.get("removed", {})
    return {
        node: {one: facts for one, facts in datasets.items() if one not in gone.get(node, ())}
        for node, datasets in found.items()
    }


def purge(
    run: Run, build: Build, found: Found, reasons: Iterable[Used], dry: bool = False
) -> Purged:
    """Remove what nobody uses of a build; a dry run only adds up what would go."""
    purged, chosen = Purged(), {}
    reasons = list(reasons)
    for node, datasets in found.items():
        # What a node's own links point to stays, whatever the ledger believes.
        of_node = removal(datasets, build, reasons)
        purged.kept.update(of_node.kept)
        if of_node.remove:
            chosen[node] = {dataset: datasets[dataset]["bytes"] for dataset in of_node.remove}
    purged.removed = remove(run, chosen, dry)
    return purged


def remove(run: Run, chosen: Mapping[str, Mapping[str, int]], dry: bool = False) -> dict[str, int]:
    """Remove datasets (node → id → bytes) from nodes; the bytes that it frees on each."""
    freed = {node: sum(datasets.values()) for node, datasets in chosen.items()}
    if not dry:
        calls = {node: Call({"datasets": sorted(datasets)}) for node, datasets in chosen.items()}
        answers = run.fleet.cascade("wb_dataset.remove", calls, lambda node, answer: None)
        freed = {node: sum(told.values()) for node, told in values(answers, _TODO).items()}
    _forget(run, chosen)
    return freed


def _forget(run: Run, chosen: Mapping[str, Mapping[str, int]]) -> None:
    """Nodes hold no longer what they had removed: no parcel leads from it."""
    nodes = dict(run.seen.nodes)
    for node, datasets in chosen.items():
        run.notes.setdefault("removed", {}).setdefault(node, {}).update(datasets)
        if node in nodes:
            held = {one: digest for one, digest in nodes[node].held.items() if one not in datasets}
            nodes[node] = replace(nodes[node], held=held)
    run.seen = replace(run.seen, nodes=nodes)
