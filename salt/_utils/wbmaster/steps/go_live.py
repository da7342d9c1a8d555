"""Step 8 of the wiki page: visitors get the new release, and it counts as live."""

from __future__ import annotations

from typing import Any

from ..golive import ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return ways.foreseen(run, "go_live")


def take(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive:
        return {}
    changes = ways.taken(run, "go_live")
    way = "back" if run.request.kind == "rollback" else "forward"
    run.ledger.pass_switch(run.id, ways.release(run).release, way)
    run.known = run.ledger.known()
    return changes
