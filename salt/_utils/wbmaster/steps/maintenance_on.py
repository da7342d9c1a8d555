"""Step 6 of the wiki page: the site goes into maintenance mode, or half of it leaves the pool."""

from __future__ import annotations

from typing import Any

from wbcore.planning import preconditions

from ..golive import integrity, ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return ways.foreseen(run, "leave")


def take(run: Run) -> dict[str, Any]:
    if run.plan.needs_golive:
        # Somebody may have said something about the build since the run began.
        preconditions.check_verdicts(run.plan, run.ledger.known())
        integrity.ensure(run, ways.release(run))
    return ways.taken(run, "leave")
