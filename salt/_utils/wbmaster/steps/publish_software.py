"""The software release on the FTP site, and which of them is the current one.

Source: the wiki page, "Major Releases"; a minor revision makes none.
"""

from __future__ import annotations

from itertools import dropwhile
from typing import Any

from wbcore.names import Release

from ..golive import reference_and_software
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    release = _current(run)
    return {"software release": str(release)} if release else {}


def take(run: Run) -> dict[str, Any]:
    release = _current(run)
    if release is None:
        return {}
    shown = reference_and_software.show(run, "wb_software.publish", release)
    if shown is None:
        return {}
    if "publish" in run.plan.announce:
        run.ledger.mark(release, "published")
    return {"software release": shown["tarball"]}


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
