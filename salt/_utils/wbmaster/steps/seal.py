"""Sealing: the development server makes the manifest that every node is checked against."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from wbcore import requests
from wbcore.model.observations import StagingSeen
from wbcore.names import Build
from wbcore.planning import preconditions
from wbcore.planning.planner import surveyed

from ..run import Run

_WAY_OUT = "see the log of the minion there, and run the same command again"


def forecast(run: Run) -> dict[str, Any]:
    survey = run.seen.staging.survey
    if not run.plan.seals or survey["sealed"]:
        return {}
    # Looking changes nothing of a build, so a dry run looks as well as a real one.
    staging = run.settings.staging
    looked = run.fleet.one(staging, "wb_build.inspect", _WAY_OUT, build=run.build)
    if looked["problems"]:
        raise preconditions.wrong(Build.parse(run.build), run.settings, looked["problems"])
    return {run.build: f"{len(survey['datasets'])} datasets would be sealed"}


def take(run: Run) -> dict[str, Any]:
    if not run.plan.seals:
        return {}
    was_sealed = run.seen.staging.survey["sealed"]
    sealed = run.fleet.one(
        run.settings.staging,
        "wb_build.seal",
        f"fix the build on {run.settings.staging} and run the same command again",
        name=run.build,
        run=run.id,
    )
    run.notes.sealed_digest = sealed["digest"]
    _plan_with_digests(run, sealed)
    if run.request.kind == requests.GOLIVE:
        preconditions.check_pushed(run.build, run.plan.pulls)
    return {} if was_sealed else {run.build: sealed["digest"]}


def _plan_with_digests(run: Run, sealed: dict[str, Any]) -> None:
    """Now that digests are known, a dataset of the right name may turn out to be another, and
    a database may be another than the survey saw."""
    survey = {
        **run.seen.staging.survey,
        "databases": sealed["databases"],
        "datasets": sealed["datasets"],
        "sealed": sealed["digest"],
    }
    staging = StagingSeen(run.seen.staging.builds, survey, run.seen.staging.webapp)
    run.seen = replace(run.seen, staging=staging)
    run.plan = surveyed(run.plan, run.settings, run.seen)
