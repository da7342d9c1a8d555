"""The reference copy of what is live, on the development server.

Source: the wiki page, "Major Releases": "copies the website/staging directory to
production/ for easy reference on the dev server"; a minor revision makes none.
"""

from __future__ import annotations

from typing import Any

from wbcore.requests import RELEASE, ROLLBACK

from ..run import Run


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
    run.fleet.one(
        run.settings.staging,
        "wb_software.reference",
        "the release is live; run the same command again to do the rest",
        release=str(run.plan.release),
    )
    return {"reference copy": str(run.plan.release)}
