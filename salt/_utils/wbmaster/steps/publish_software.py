"""The software release on the FTP site, which of them is the current one, and its tag.

Source: the wiki page, "Major Releases"; a minor revision makes none.
"""

from __future__ import annotations

import logging
from itertools import dropwhile
from typing import Any

from wbcore.errors import StepFailed
from wbcore.names import Release

from ..golive import reference_and_software
from ..run import Run

log = logging.getLogger(__name__)


def forecast(run: Run) -> dict[str, Any]:
    release = _current(run)
    if release is None:
        return {}
    return {"software release": str(release)} | ({"tag": str(release)} if _tags(run) else {})


def take(run: Run) -> dict[str, Any]:
    release = _current(run)
    if release is None:
        return {}
    shown = reference_and_software.show(run, "wb_software.publish", release)
    if shown is None:
        return {}
    changes = {"software release": shown["tarball"]}
    if _tags(run):
        changes["tag"] = _tag(run, release)
    if "publish" in run.plan.announce:
        run.ledger.mark(release, "published")
    return changes


def _tags(run: Run) -> bool:
    """Whether the checkout gets a tag: once for each release that is published."""
    return run.settings.webapp.tag and "publish" in run.plan.announce


def _tag(run: Run, release: Release) -> str:
    """Tag the checkout with the release's name; what came of it."""
    todo = f"the release is live and complete; tag {release} in website/staging by hand"
    try:
        run.fleet.one(run.settings.staging, "wb_webapp.tag", todo, release=str(release))
    except StepFailed as error:
        # A tag is for people who look back, and no reason to call a release that is live failed.
        log.warning("%s was not tagged: %s", release, error)
        return f"not made: {error}"
    return str(release)


def _current(run: Run) -> Release | None:
    """The release whose software is to be the current one: what is live, or, if that is a minor
    revision, the one before it that was published; None if nothing changes."""
    live, known = run.plan.release, run.known
    if live is None or not reference_and_software.due(run):
        return None
    if "publish" in run.plan.announce:
        return live
    before = dropwhile(lambda one: one != live, reversed(known.stack))
    published = (one for one in (live, *before) if known.releases[one].published)
    return next(published, None)
