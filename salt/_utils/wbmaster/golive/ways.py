"""The two ways in which a release goes live, and back when it fails.

A way has a function for each step, ``take_out_of_service``, ``canary``, ``go_live`` and
``return_to_service``, which returns what it changed; ``foresee``, what each of them would change;
``put_back``, which brings every node back to the release that was live; and ``give_up``, when
there was none.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from wbcore.errors import StepFailed
from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.settings import MAINTENANCE

from ..leaving_out import leave_out, silent
from ..run import Run
from . import downloads, maintenance_page, pool, seamless

_STEPS = ("take_out_of_service", "canary", "go_live", "return_to_service")


def of(run: Run) -> ModuleType:
    """The way of a run: with the page when the pillar or a single web node wants it so, or
    when a run that died has left it up. Nodes that are behind are repaired without it."""
    if repairs(run):
        return seamless
    page = run.seen.proxy.get("maintenance")
    alone = len(pool.web(run)) < 2
    return maintenance_page if run.settings.golive.way == MAINTENANCE or page or alone else seamless


def repairs(run: Run) -> bool:
    """Whether the release is live already and only some nodes are behind."""
    plan = run.plan
    return (
        plan.release is not None
        and plan.release == plan.before
        and bool(set(pool.web(run)) - set(plan.behind))
    )


def foreseen(run: Run, step: str) -> dict[str, Any]:
    """What a step would change."""
    if not run.plan.needs_golive:
        return {}
    changes: dict[str, Any] = of(run).foresee(run)[step]
    return {node: _told(change) for node, change in changes.items()}


def taken(run: Run, step: str) -> dict[str, Any]:
    """Take a step; what it changed."""
    if not run.plan.needs_golive:
        return {}
    return {node: change for node, change in _taken(run, step).items() if change}


def _taken(run: Run, step: str) -> dict[str, Any]:
    """Take a step. If it fails and a node has died, the site is put back, and the change-over
    begins anew without that node."""
    try:
        changes: dict[str, Any] = getattr(of(run), step)(run, release(run))
        return changes
    except StepFailed:
        dead = silent(run, run.plan.present)
        if not dead:
            raise
    leave_out(run, step, dead)
    put_back(run)
    run.known = run.ledger.known()
    for earlier in _STEPS[: _STEPS.index(step)]:
        _taken(run, earlier)
    return _taken(run, step)


def release(run: Run) -> ReleaseRecord:
    """The release that goes live."""
    return run.known.releases[run.plan.going_live]


def put_back(run: Run) -> None:
    """Undo an unfinished change-over: every node back on the release that was live."""
    known = run.ledger.known()
    if known.switch is None:
        return
    # No order of the change-over that is undone may follow, however late it comes.
    run.ledger.advance()
    if known.switch.before is None:
        run.ledger.undo_switch()
        of(run).give_up(run)
        return
    of(run).put_back(run, known.releases[known.switch.before])
    downloads.settle(run, known.switch.before)
    run.ledger.undo_switch()


def _told(change: Any) -> str:
    if isinstance(change, str):
        return change
    return ", ".join(f"{name} -> {target}" for name, target in change.items())
