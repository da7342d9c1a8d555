"""Step 9 of the wiki page: every node that can serve the release does, without a page."""

from __future__ import annotations

from typing import Any

from ..golive import downloads, ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    links = downloads.foresee(run) if run.plan.needs_golive else {}
    return ways.foreseen(run, "return_to_service") | links


def take(run: Run) -> dict[str, Any]:
    changes = ways.taken(run, "return_to_service")
    if run.plan.needs_golive:
        changes |= downloads.settle(run, run.plan.going_live)
        run.ledger.record_away(run.id, set(run.settings.serving).intersection(run.left_out))
    return changes
