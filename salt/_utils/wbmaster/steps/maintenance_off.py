"""Step 9 of the wiki page: the site is restored to active mode, on every node."""

from __future__ import annotations

from typing import Any

from ..golive import ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return ways.foreseen(run, "join")


def take(run: Run) -> dict[str, Any]:
    changes = ways.taken(run, "join")
    if run.plan.needs_golive:
        run.ledger.record_away(run.id, set(run.settings.serving).intersection(run.left_out))
    return changes
