"""The ledger learns what was taken over: it is live, and counts as announced."""

from __future__ import annotations

from typing import Any

from wbcore.model.ledger_facts import ReleaseRecord

from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    if run.plan.release == run.plan.before:
        return {}
    return {str(run.plan.release): "would be recorded as live and announced"}


def take(run: Run) -> dict[str, Any]:
    release = run.plan.going_live
    if release == run.plan.before:
        return {}
    build, webapp = run.notes.sealed[run.build], run.notes.sealed[str(release)]
    datasets = sorted({*build["datasets"], *webapp["datasets"]})
    run.ledger.adopt(
        ReleaseRecord(
            release, webapp["digest"], build["digest"], dict(run.plan.databases), datasets
        ),
        run.id,
    )
    return {str(release): "is live by the ledger"}
