"""Announcing a release, once by each way: what the steps that announce share."""

from __future__ import annotations

from typing import Any, NamedTuple

from wbcore.names import Release

from .run import Run

Changes = dict[str, Any]


class Way(NamedTuple):
    """A way to announce: its name in the plan and in the ledger, and for people."""

    todo: str
    done: str
    noun: str


def forecast(run: Run, way: Way) -> Changes:
    """What would be announced."""
    return {way.noun: f"{run.build} would be announced"} if way.todo in run.plan.announce else {}


def take(run: Run, way: Way) -> Changes:
    """Announce what is live, unless it was."""
    release = run.plan.release
    if release is None or way.todo not in run.plan.announce:
        return {}
    told = run.fleet.one(
        run.settings.staging,
        f"wb_announce.{way.todo}",
        "the release is live; run the same command again to announce it",
        release=str(release),
        before=_before(run, release),
    )
    run.ledger.mark(release, way.done)
    return {way.noun: told}


def _before(run: Run, release: Release) -> str:
    """The build that was live before, whose difference is what is new; there may be none."""
    earlier = [one.build for one in run.known.stack if one.build < release.build]
    return str(earlier[-1]) if earlier else ""
