"""Step 6 of the wiki page: the site goes into maintenance mode."""

from __future__ import annotations

from typing import Any

from .. import changeover
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive or changeover.repairs(run):
        return {}
    return {run.settings.proxy: "the maintenance page would be up for a moment"}


def take(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive or run.plan.release is None:
        return {}
    # Nodes are only taken out here: one that serves another release already joins when
    # the page is up and all have been checked.
    leaving = set(run.plan.absent)
    if changeover.repairs(run):
        leaving |= set(run.plan.behind)
    staying = [node for node in changeover.pool(run) if node not in leaving]
    changeover.set_pool(run, staying)
    if changeover.repairs(run):
        return {}
    run.ledger.begin_switch(run.id, run.known.live, run.plan.release)
    changeover.page_up(run)
    return {run.settings.proxy: "maintenance page up"}
