"""Pushing datasets to the nodes, beside what is live: what the steps that push share."""

from __future__ import annotations

import time
from typing import Any

from wbcore.datasets import Dataset
from wbcore.transport.routes import Leg, route

from .leaving_out import answered
from .nodes.fleet import Answer, Call
from .run import Run

Changes = dict[str, Any]


def forecast(run: Run, kind: str) -> Changes:
    """The datasets of a kind that each node would pull."""
    return {node: ", ".join(datasets) for node, datasets in _lacking(run, kind).items()}


def take(run: Run, step: str, kind: str) -> Changes:
    """Have each node pull the datasets of a kind that it lacks."""
    lacking = _lacking(run, kind)
    # A minor revision seals no build and lacks nothing of one.
    return pull(run, step, run.build, run.notes.sealed_digest, lacking) if lacking else {}


def _lacking(run: Run, kind: str) -> dict[str, list[str]]:
    lacking = {
        node: [dataset for dataset in datasets if Dataset.parse(dataset).kind == kind]
        for node, datasets in run.plan.pulls.items()
    }
    return {node: datasets for node, datasets in lacking.items() if datasets}


def pull(run: Run, step: str, manifest: str, digest: str, lacking: dict[str, list[str]]) -> Changes:
    """Have each node fetch what it lacks: one trip to a site, then from sibling to sibling."""
    if not lacking:
        return {}
    legs = route(run.settings, lacking, _complete(run, lacking))
    calls = {
        leg.node: Call(_order(run, step, manifest, digest, lacking[leg.node], leg), leg.after)
        for leg in legs
    }
    sites = {leg.node: leg.entry for leg in legs}
    received: dict[str, int] = {}
    finished: dict[str, float] = {}
    began = time.monotonic()
    moved = [one for datasets in lacking.values() for one in datasets]

    def done(node: str, answer: Answer) -> None:
        if answer.good:
            bytes_in = sum(one["received"] for one in answer.value["datasets"].values())
            received[node] = bytes_in
            finished[node] = round(time.monotonic() - began, 2)
            run.tell(step, "progress", node=node, received=bytes_in, complete=True)

    answers = run.fleet.cascade("wb_dataset.pull", calls, done)
    pulled = answered(run, step, answers, "what was copied stays; run the same command again")
    mended = {node: answer["mended"] for node, answer in pulled.items() if answer["mended"]}
    run.notes.measured(
        step,
        received=sum(received.values()),
        finished=finished,
        entered={run.settings.nodes[node].site: received[node] for node in received if sites[node]},
        unpacked=run.plan.unpacked(run.settings, lacking),
        bytes=sum(run.plan.sizes[dataset]["bytes"] for dataset in moved),
    )
    if mended:
        # Files that a parcel did not give as they were sealed, and which were fetched whole.
        run.notes.measured(step, mended=mended)
    return {
        node: {
            dataset: f"{one['bytes']} bytes, {one['received']} received from {one['source']}"
            for dataset, one in answer["datasets"].items()
            if not one["already"]
        }
        for node, answer in pulled.items()
    }


def _complete(run: Run, lacking: dict[str, list[str]]) -> list[str]:
    """Nodes that hold already all that somebody lacks."""
    everything = {dataset for datasets in lacking.values() for dataset in datasets}
    return [
        node
        for node, seen in run.seen.nodes.items()
        if node not in lacking and everything <= set(seen.held)
    ]


def _order(
    run: Run, step: str, manifest: str, digest: str, datasets: list[str], leg: Leg
) -> dict[str, Any]:
    return {
        "name": manifest,
        "digest": digest,
        "datasets": datasets,
        "sources": [
            {"node": node, "address": run.settings.nodes[node].address} for node in leg.sources
        ],
        "step": step,
    }
