"""Ending a run: whatever happened, the site is whole and the ledger says what it was."""

from __future__ import annotations

from collections.abc import Sequence

from wbcore import requests
from wbcore.errors import Away, Interrupted, ReleaseError
from wbcore.events import DONE, FAILED, WAITING

from .. import run
from ..golive import epochs, ways
from ..nodes.bus import LOST
from ..reporting import describe, metrics, notices
from . import exit_codes, waiting


def end(ended: run.Run) -> str:
    """Put the site back if the change-over did not pass, record the outcome, free the lock.

    Returns what to tell; the error that stopped the run is raised again.
    """
    try:
        # Without a master nothing can be put back: the proxy's keeper ends the page, and
        # whoever takes the run up goes on or goes back.
        if ended.error and not isinstance(ended.error, Interrupted):
            _put_back(ended, ended.error)
        _record(ended)
    finally:
        run.set_current(None)
        ended.lock.release()
    metrics.write_after(ended)
    if not isinstance(ended.error, Interrupted):
        notices.ended(ended)
    if ended.error:
        said = f"{ended.request} failed in {ended.failed_step}: {ended.error}"
        exit_codes.leave(exit_codes.of_end(ended.error, ended.ledger), said)
        raise ended.error
    return describe.summary(ended)


def _record(ended: run.Run) -> None:
    ended.ledger.describe_run(ended.id, figures=ended.notes.figures)
    if isinstance(ended.error, Interrupted):
        # Without an end in the ledger the supervisor takes the run up; there is no master
        # either whom an event could be given.
        return
    error = str(ended.error or "")
    if isinstance(ended.error, Away):
        outcome = WAITING
        waiting.begin(ended.ledger, ended.id, ended.error, ended.notes.figures)
    else:
        outcome = FAILED if error else DONE
        # In copies of the ledger from before this the run is running: whoever puts one back must
        # not have it taken up.
        epoch = ended.ledger.conclude(ended.id, outcome, error)
        epochs.tell(ended.fleet, _told(ended), epoch)
        ended.ledger.end_run(ended.id, outcome, error)
    ended.tell("run", outcome, error=error, step_failed=ended.failed_step)
    # The follower that draws the progress stops at this event.
    if ended.notes.follower:
        ended.notes.follower.join(2)


def _told(ended: run.Run) -> Sequence[str]:
    """Who learns the epoch. A node that was told anything enforces its states from then on, and
    the proxy of a cluster that is adopted has to serve by what it has until somebody applies
    them."""
    return ended.plan.present if ended.request.kind == requests.ADOPT else ended.there


def _put_back(ended: run.Run, why_it_ended: ReleaseError) -> None:
    try:
        ways.put_back(ended)
    except (ReleaseError, *LOST) as error:
        if isinstance(why_it_ended, Away):
            # It says already whom the run waits for, and whoever takes it up begins with this.
            return
        why, _, _ = str(error).partition(";")
        why_it_ended.what += f", and the site could not be put back: {why}"
        why_it_ended.todo = "the supervisor tries it again in two minutes; see that the node runs"
