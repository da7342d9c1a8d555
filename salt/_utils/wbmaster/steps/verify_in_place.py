"""Every node reads what is live on it, where it lies, and compares it with what was sealed.

What differs is named for all nodes at once, and repaired if that was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wbcore.build.manifest import together
from wbcore.datasets import WEBAPP, Dataset
from wbcore.errors import BadData
from wbcore.planning.lacking import lacks

from ..nodes.fleet import Answer, Call, reason
from ..reporting.describe import size
from ..run import Run

STEP = "verify_in_place"
_WAY_OUT = (
    "the site serves as before, and what is right was taken over; look at the files, then run "
    "orch.adopt pillar='{repair: True}', which fetches them from the development server"
)
_AGAIN = "the site serves as before; fix it, and run the same command again"


def forecast(run: Run) -> dict[str, Any]:
    read = run.plan.read_bytes()
    return {
        node: f"{len(datasets)} datasets would be read ({size(read[node])})"
        for node, datasets in run.plan.reads.items()
        if datasets
    }


def take(run: Run) -> dict[str, Any]:
    reads = _reads(run)
    calls = {node: Call(_order(run, node, datasets)) for node, datasets in reads.items()}

    def done(node: str, answer: Answer) -> None:
        if answer.good:
            received = answer.value["received"]
            run.tell(STEP, "progress", node=node, received=received, complete=True)

    answers = run.fleet.cascade("wb_dataset.adopt", calls, done)
    told = {node: answer.value["datasets"] for node, answer in answers.items() if answer.good}
    _measure(run, answers, told)
    silent = [f"{node}: {reason(one)}" for node, one in answers.items() if not one.good]
    differing = [line for node, datasets in told.items() for line in _faults(node, datasets)]
    if silent or differing:
        can_repair = differing and not run.request.repair
        raise BadData(together([*differing, *silent]), _WAY_OUT if can_repair else _AGAIN)
    return {
        node: ", ".join(f"{dataset}{_how(one)}" for dataset, one in datasets.items())
        for node, datasets in told.items()
    }


def _reads(run: Run) -> dict[str, list[str]]:
    """What nodes do not hold verified, now that the digests are known."""
    sealed = run.notes.sealed.values()
    datasets = {one: facts for seal in sealed for one, facts in seal["datasets"].items()}
    found = lacks(run.settings, run.seen, datasets)
    return {node: list(reads) for node, reads in found.items() if reads}


def _order(run: Run, node: str, datasets: list[str]) -> dict[str, Any]:
    """What a node is asked for. Only the development server has the manifests."""
    named: dict[str, list[str]] = {}
    for dataset in datasets:
        webapp = Dataset.parse(dataset).kind == WEBAPP
        named.setdefault(str(run.plan.release) if webapp else run.build, []).append(dataset)
    staging = run.settings.staging
    return {
        "manifests": {
            name: {"digest": run.notes.sealed[name]["digest"], "datasets": its}
            for name, its in named.items()
        },
        "sources": [{"node": staging, "address": run.settings.nodes[staging].address}],
        "repair": run.request.repair,
        "step": STEP,
    }


def _measure(
    run: Run, answers: Mapping[str, Answer], told: Mapping[str, Mapping[str, Any]]
) -> None:
    read = [one for datasets in told.values() for one in datasets.values() if not one["already"]]
    run.notes.measured(
        STEP,
        bytes=sum(one["bytes"] for one in read),
        received=sum(one.value["received"] for one in answers.values() if one.good),
    )
    for figure, key in (("repaired", "repaired"), ("extra", "extra")):
        if found := _chosen(told, key):
            run.notes.measured(STEP, **{figure: found})


def _chosen(told: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, list[str]]:
    """Node → its datasets of which something is so."""
    chosen = {
        node: [dataset for dataset, one in datasets.items() if one[key]]
        for node, datasets in told.items()
    }
    return {node: datasets for node, datasets in chosen.items() if datasets}


def _faults(node: str, datasets: Mapping[str, Any]) -> Iterator[str]:
    """What keeps datasets of a node from being taken over, a sentence each."""
    for dataset, one in datasets.items():
        if one["error"]:
            yield f"{node}: {dataset}: {one['error']}"
        elif one["faults"] and not one["repaired"]:
            more = one["faults"] - len(one["shown"])
            rest = f" and {more} more" if more else ""
            yield f"{node}: {dataset} differs in {', '.join(one['shown'])}{rest}"


def _how(one: Mapping[str, Any]) -> str:
    left = f", {one['extra']} unknown paths left" if one["extra"] else ""
    return f" ({one['faults']} paths repaired{left})" if one["repaired"] else f" (as sealed{left})"
