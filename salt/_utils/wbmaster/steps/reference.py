"""The reference copy of what is live, on the development server.

Source: the wiki page, "Major Releases": "copies the website/staging directory to
production/ for easy reference on the dev server"; a minor revision makes none, and a
rollback does not fail for want of one.
"""

from __future__ import annotations

import logging
from typing import Any

from wbcore.errors import StepFailed
from wbcore.requests import RELEASE, ROLLBACK

from ..run import Run

log = logging.getLogger(__name__)


def _due(run: Run) -> bool:
    if run.request.kind == ROLLBACK or "publish" in run.plan.announce:
        return True
    # A release that is live again, after going back, was published the first time.
    return run.request.kind == RELEASE and not run.request.minor and run.plan.needs_golive


def forecast(run: Run) -> dict[str, Any]:
    return {"reference copy": str(run.plan.release)} if _due(run) else {}


def take(run: Run) -> dict[str, Any]:
    if run.plan.release is None or not _due(run):
        return {}
    todo = "the release is live; run the same command again to do the rest"
    try:
        run.fleet.one(
            run.settings.staging, "wb_software.reference", todo, release=str(run.plan.release)
        )
    except StepFailed as error:
        if run.request.kind != ROLLBACK:
            raise
        # The site is back, and must be able to go back once more: a copy for people to look
        # at does not fail that. The next release or rollback refreshes it.
        log.warning("the reference copy was left as it was: %s", error)
        return {}
    return {"reference copy": str(run.plan.release)}
