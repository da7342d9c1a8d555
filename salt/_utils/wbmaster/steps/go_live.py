"""Step 8 of the wiki page: links are switched, servers follow, and the release is live."""

from __future__ import annotations

from typing import Any

from ..golive import ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return ways.foreseen(run, "go")


def take(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive:
        return {}
    changes = ways.taken(run, "go")
    way = "back" if run.request.kind == "rollback" else "forward"
    run.ledger.pass_switch(run.id, ways.release(run).release, way)
    run.known = run.ledger.known()
    return changes
