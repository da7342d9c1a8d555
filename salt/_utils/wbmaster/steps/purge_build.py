"""Purging one build, on the nodes or on the development server.

Source: the wiki page, "Purge old builds": ``purge_old_releases.sh WSXXX [local]``.
"""

from __future__ import annotations

from typing import Any

from wbcore.disk.retention import used

from ..purging import Purged, found_on, purge
from ..run import Run

STEP = "purge_build"


def _nodes(run: Run) -> list[str]:
    return [run.settings.staging] if run.request.local else list(run.plan.present)


def forecast(run: Run) -> dict[str, Any]:
    return _changes(_purge(run, dry=True))


def take(run: Run) -> dict[str, Any]:
    purged = _purge(run, dry=False)
    if purged.removed:
        run.notes.measured(STEP, purged=purged.removed)
    changes = _changes(purged)
    if run.request.local:
        # Its folder under builds and its manifest go too; what a later build still uses of
        # its databases is in the manifest of that build.
        forgotten = run.fleet.one(
            run.settings.staging, "wb_build.forget", "run the same command again", build=run.build
        )["forgotten"]
        changes |= {"forgotten": forgotten} if forgotten else {}
    return changes


def _purge(run: Run, dry: bool) -> Purged:
    build = run.request.named
    reasons = used(run.known, run.settings.retention)
    return purge(run, build, found_on(run, _nodes(run)), reasons, dry)


def _changes(purged: Purged) -> dict[str, Any]:
    if not purged.removed:
        return {}
    return {"removed": purged.removed, "kept": purged.kept}
