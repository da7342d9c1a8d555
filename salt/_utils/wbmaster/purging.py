"""Removing a build's datasets from nodes, all but what a release still uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from wbcore.datasets import Dataset
from wbcore.disk.retention import Used, removal
from wbcore.model.links import why_live
from wbcore.names import Build

from .leaving_out import answered
from .nodes.fleet import Call, values
from .run import Run

Found = Mapping[str, Mapping[str, Mapping[str, Any]]]
_WAY_OUT = "look at it and run the same command again"


@dataclass
class Purged:
    """What was removed (node → bytes freed), which datasets those are (node → dataset → bytes
    as the node reported them before), and what was kept (dataset → reason)."""

    removed: dict[str, int] = field(default_factory=dict)
    gone: dict[str, dict[str, int]] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


def found_on(run: Run, nodes: Sequence[str], without: str = "") -> Found:
    """Every dataset on the nodes' disks: node → id → facts. A dry run leaves out what a step
    before would have removed.

    without
        The step that goes on without nodes that do not answer; else they stop it.
    """
    answers = run.fleet.ask(nodes, "wb_dataset.found")
    found: Found = (
        answered(run, without, answers, _WAY_OUT) if without else values(answers, _WAY_OUT)
    )
    gone = run.notes.removed
    return {
        node: {one: facts for one, facts in datasets.items() if one not in gone.get(node, ())}
        for node, datasets in found.items()
    }


def purge(
    run: Run, build: Build, found: Found, reasons: Iterable[Used], dry: bool = False
) -> Purged:
    """Remove what nobody uses of a build; a dry run only adds up what would go."""
    kept: dict[str, str] = {}
    chosen: dict[str, dict[str, int]] = {}
    reasons = list(reasons)
    for node, datasets in found.items():
        of_node = removal(datasets, build, reasons)
        kept.update(of_node.kept)
        if of_node.remove:
            chosen[node] = {dataset: datasets[dataset]["bytes"] for dataset in of_node.remove}
    purged = remove(run, chosen, dry)
    purged.kept = {**kept, **purged.kept}
    return purged


def remove(run: Run, chosen: Mapping[str, Mapping[str, int]], dry: bool = False) -> Purged:
    """Remove datasets (node → id → bytes) from nodes.

    What a node's own links lead to stays, whatever the ledger believes.
    """
    answers = _foretold(run, chosen) if dry else _removed(run, chosen)
    purged = Purged()
    for node, answer in answers.items():
        purged.kept.update(answer["kept"])
        going = {one: size for one, size in chosen[node].items() if one not in answer["kept"]}
        if going:
            purged.gone[node] = going
            purged.removed[node] = sum(answer["freed"].values())
    _forget(run, purged.gone)
    return purged


def _removed(run: Run, chosen: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    calls = {
        node: Call({"datasets": sorted(datasets), "may_keep_all": True})
        for node, datasets in chosen.items()
    }
    answers = run.fleet.cascade("wb_dataset.remove", calls, lambda node, answer: None)
    return values(answers, _WAY_OUT)


def _foretold(run: Run, chosen: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """What nodes would answer, by the links that they had when the run began."""
    told = {}
    for node, datasets in chosen.items():
        live = run.seen.nodes[node].links if node in run.seen.nodes else {}
        why = {one: why_live(Dataset.parse(one), live) for one in datasets}
        told[node] = {
            "freed": {one: size for one, size in datasets.items() if not why[one]},
            "kept": {
                one: f"is live here (the link {link} says so)" for one, link in why.items() if link
            },
        }
    return told


def _forget(run: Run, chosen: Mapping[str, Mapping[str, int]]) -> None:
    """Nodes hold no longer what they had removed: no parcel leads from it."""
    nodes = dict(run.seen.nodes)
    for node, datasets in chosen.items():
        run.notes.removed.setdefault(node, {}).update(datasets)
        if node in nodes:
            held = {one: digest for one, digest in nodes[node].held.items() if one not in datasets}
            nodes[node] = replace(nodes[node], held=held)
    run.seen = replace(run.seen, nodes=nodes)
