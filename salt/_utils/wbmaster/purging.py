"""Removing a build's datasets from nodes, all but what a release still uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
    """Every dataset on the nodes' disks: node → id → facts."""
    return run.fleet.call(nodes, "wb_dataset.found", _TODO)


def purge(
    run: Run, build: Build, found: Found, reasons: Iterable[Used], dry: bool = False
) -> Purged:
    """Remove what nobody uses of a build; a dry run only adds up what would go."""
    purged, calls = Purged(), {}
    reasons = list(reasons)
    for node, datasets in found.items():
        # What a node's own links point to stays, whatever the ledger believes.
        chosen = removal(datasets, build, reasons)
        purged.kept.update(chosen.kept)
        if chosen.remove:
            purged.removed[node] = sum(datasets[dataset]["bytes"] for dataset in chosen.remove)
            calls[node] = Call({"datasets": list(chosen.remove)})
    if not dry:
        answers = run.fleet.cascade("wb_dataset.remove", calls, lambda node, answer: None)
        purged.removed = {
            node: sum(freed.values()) for node, freed in values(answers, _TODO).items()
        }
    return purged
