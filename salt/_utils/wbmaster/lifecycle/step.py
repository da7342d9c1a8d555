"""Taking one step of the run: recorded, reported, and its error kept for the end."""

from __future__ import annotations

import logging
import time
from typing import Any

from wbcore import events
from wbcore.errors import Away, Interrupted, ReleaseError, StepFailed

from ..leaving_out import silent
from ..nodes.bus import LOST
from ..run import Run
from ..steps import step as step_of

log = logging.getLogger(__name__)


def take(taken: Run, name: str) -> dict[str, Any]:
    """Take a step of the run; what it changed. The ReleaseError that stops it is noted on
    the run, so that no later step is taken, and raised."""
    try:
        return _take(taken, name)
    except Exception as unforeseen:
        error = _told(taken, unforeseen)
        taken.error, taken.failed_step = error, name
        figures = taken.notes.figures.get(name, {})
        taken.ledger.end_step(taken.id, name, "failed", figures, str(error))
        taken.tell(name, events.FAILED, error=str(error), node=error.node)
        raise error from unforeseen


def _take(taken: Run, name: str) -> dict[str, Any]:
    taken.ledger.begin_step(taken.id, name)
    taken.tell(name, events.START)
    began = time.monotonic()
    changes = step_of(name).take(taken)
    figures = {
        "seconds": round(time.monotonic() - began, 2),
        **taken.notes.figures.get(name, {}),
    }
    taken.ledger.end_step(taken.id, name, "done", figures)
    taken.tell(name, events.DONE, changed=bool(changes), **figures)
    return changes


def _told(taken: Run, error: Exception) -> ReleaseError:
    """Anything else than our own errors is the master that went away, or a fault of ours."""
    if isinstance(error, StepFailed) and taken.bus.master() != taken.notes.master:
        # What a node answered meanwhile went to nobody; it may well have done its part.
        return Interrupted(
            f"the master was started anew, and {error.what}",
            "the run is taken up again by itself",
            error.node,
        )
    if isinstance(error, StepFailed) and (away := _away(taken)):
        return Away(
            f"no answer from {', '.join(away)}, without which it can not go on ({error.what})",
            "bring it back; the run goes on by itself then",
            away,
        )
    if isinstance(error, ReleaseError):
        return error
    what = f"{type(error).__name__}: {error}"
    if isinstance(error, LOST):
        return Interrupted(what, "see that the master runs; the run is taken up again by itself")
    log.exception("a step ended in an error that is none of ours")
    return StepFailed(what, "look at the log of salt-run, and run the same command again")


def _away(taken: Run) -> list[str]:
    """The machines that do not answer and that what is left of a run can not do without."""
    plan, settings = taken.plan, taken.settings
    needed = {
        settings.staging: plan.seals or plan.needs_pull or plan.announce,
        settings.proxy: plan.needs_golive,
    }
    return list(silent(taken, [machine for machine, needs in needed.items() if needs]))


def forecast(planned: Run, name: str) -> dict[str, Any]:
    """What a step would change, for a dry run."""
    return step_of(name).forecast(planned)
