"""The download tree on the development server, whose links move with the site.

No change-over waits for them or fails for them: what could not be moved is named, and the
states of that server put it right later.
"""

from __future__ import annotations

import logging
from typing import Any

from wbcore.model.downloads import DEVELOPMENT, PRODUCTION
from wbcore.names import Release

from ..nodes.fleet import Answer, reason
from ..office import Office
from ..run import Run

log = logging.getLogger(__name__)

_FOLLOW = "wb_download.follow"
_LEFT = "the download links of %s were left as they were: %s"


def foresee(run: Run) -> dict[str, Any]:
    """What the change-over would change."""
    if not run.settings.downloads.production or not _moves(run, run.plan.going_live):
        return {}
    return {"download links": f"would lead to {run.plan.going_live.build}, where there are any"}


def begin(run: Run, release: Release) -> None:
    """Have the links follow a release that is about to serve; nobody waits for them."""
    if run.settings.downloads.production:
        run.fleet.begin([run.settings.staging], _FOLLOW, **_order(run, release))


def settle(run: Run, release: Release) -> dict[str, Any]:
    """Make sure that the links have followed a release; where they lead, and what could not
    be moved."""
    if not run.settings.downloads.production:
        return {}
    answer = _asked(run, release)
    if not answer.good:
        log.warning(_LEFT, run.settings.staging, reason(answer))
        return {"download links": f"left as they were: {reason(answer)}"}
    told = list(answer.value["troubles"])
    if answer.value["changed"] or (answer.value["links"] and _moves(run, release)):
        told.insert(0, f"lead to {release.build}")
    return {"download links": "; ".join(told)} if told else {}


def develop(office: Office) -> None:
    """Have the links to the newest build follow one that landed."""
    known = office.ledger.known()
    if known.newest is None or not office.settings.downloads.development:
        return
    staging = office.settings.staging
    order = {"builds": {DEVELOPMENT: str(known.newest)}, "epoch": known.epoch}
    answer = office.fleet.ask([staging], _FOLLOW, **order)[staging]
    for trouble in answer.value["troubles"] if answer.good else [reason(answer)]:
        log.warning(_LEFT, staging, trouble)


def _asked(run: Run, release: Release) -> Answer:
    staging = run.settings.staging
    if staging in run.seen.absent:
        return Answer(silent=True)
    return run.fleet.ask([staging], _FOLLOW, **_order(run, release))[staging]


def _order(run: Run, release: Release) -> dict[str, Any]:
    return {"builds": {PRODUCTION: str(release.build)}, "epoch": run.ledger.epoch()}


def _moves(run: Run, release: Release) -> bool:
    """Whether another build is going to be live; with a minor revision none is."""
    return run.plan.before is None or run.plan.before.build != release.build
