"""Step 6 of the wiki page: the site goes into maintenance mode."""

from __future__ import annotations

from typing import Any

from .. import changeover
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive:
        return {}
    return {run.settings.proxy: "the maintenance page would be up for a moment"}


def take(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive or run.plan.release is None:
        return {}
    changeover.set_pool(run, changeover.web(run))
    run.ledger.begin_switch(run.id, run.known.live, run.plan.release)
    changeover.page_up(run)
    return {run.settings.proxy: "maintenance page up"}
