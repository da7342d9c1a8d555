"""Step 6 of the wiki page: half of the web nodes leave the pool, or the page goes up."""

from __future__ import annotations

from typing import Any

from wbcore.planning import preconditions

from ..golive import integrity, ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return ways.foreseen(run, "take_out_of_service")


def take(run: Run) -> dict[str, Any]:
    if run.plan.needs_golive:
        # Somebody may have said something about the build since the run began.
        preconditions.check_verdicts(run.plan, run.ledger.known())
        integrity.ensure(run, ways.release(run))
    return ways.taken(run, "take_out_of_service")
