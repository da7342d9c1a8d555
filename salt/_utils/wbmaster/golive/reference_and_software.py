"""What the development server shows people of the live release: its software, a copy to look at.

It follows what is live, and no rollback fails for want of it.
"""

from __future__ import annotations

import logging
from typing import Any

from wbcore.errors import StepFailed
from wbcore.names import Release
from wbcore.requests import RELEASE, ROLLBACK

from ..run import Run

log = logging.getLogger(__name__)

_WAY_OUT = "the release is live; run the same command again to do the rest"


def due(run: Run) -> bool:
    """Whether a run changes what is to be shown; a minor revision does not."""
    if run.request.kind == ROLLBACK or "publish" in run.plan.announce:
        return True
    # A release that is live again, after going back, was published the first time.
    return run.request.kind == RELEASE and not run.request.minor and run.plan.needs_golive


def show(run: Run, function: str, release: Release) -> Any:
    """What the development server answers that is to show a release; None when it could not,
    after going back."""
    try:
        return run.fleet.one(run.settings.staging, function, _WAY_OUT, release=str(release))
    except StepFailed as error:
        if run.request.kind != ROLLBACK:
            raise
        # The site is back, and must be able to go back once more. The next release or rollback
        # shows what is live then.
        log.warning("%s was left out: %s", function, error)
        return None
