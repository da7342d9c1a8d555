"""Step 2 of the wiki page: old releases go, by the rules of retention.

It comes last in a release, when what was live before is known to be the way back.
"""

from __future__ import annotations

from typing import Any

from wbcore.datasets import Dataset
from wbcore.names import Build
from wbcore.plan import used
from wbcore.retention import expired
from wbcore.seen import Known, ReleaseRecord

from ..purging import found_on, purge
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return _purge(run, _afterwards(run), dry=True)


def take(run: Run) -> dict[str, Any]:
    return _purge(run, run.known, dry=False)


def _purge(run: Run, known: Known, dry: bool) -> dict[str, Any]:
    if not run.plan.seals:
        return {}
    found = found_on(run, run.plan.present)
    retention = run.settings.retention
    builds = {Dataset.parse(dataset).build for datasets in found.values() for dataset in datasets}
    changes = {}
    for build in expired(builds, known.stack, retention.keep, map(Build.parse, retention.pinned)):
        removed = purge(run, build, found, used(known, retention.pinned), dry).removed
        if removed:
            changes[str(build)] = removed
    return changes


def _afterwards(run: Run) -> Known:
    """What the ledger will know when the release has passed its checks."""
    release = run.plan.release
    if release is None or release == run.known.live:
        return run.known
    record = ReleaseRecord(release, "", "", run.plan.databases, list(run.plan.sizes))
    releases = {**run.known.releases, release: record}
    return Known([*run.known.stack, release], releases)
