"""The gate on contents: a build that is whole may still be wrong, so it is held when its
databases hold much less, or much more, than those of the live build."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

from wbcore.build.tolerances import (
    CLASSES,
    Difference,
    Figures,
    allowed,
    count,
    outside,
    sentence,
    way_out,
)
from wbcore.errors import BadData, StepFailed
from wbcore.names import Build
from wbcore.verdicts import ACCEPTED, GATE, HOLD, Verdict

from ..nodes.fleet import reason, values
from ..run import Run

STEP = "check_contents"
_RECORDED = 20
_LARGEST = 8
_REASON = 500


class _Compared(NamedTuple):
    """What is outside the tolerances, and the figures of the step."""

    outside: list[Difference]
    figures: dict[str, Any]


def forecast(run: Run) -> dict[str, Any]:
    # Looking changes nothing, so a dry run looks as well as a real one.
    if build := _due(run):
        compared = _compare(run, build, dry=True)
        if compared.outside and not _accepted(run, build):
            raise _held(run, build, compared)
    return {}


def take(run: Run) -> dict[str, Any]:
    build = _due(run)
    if build is None:
        return {}
    compared = _compare(run, build, dry=False)
    run.notes.measured(STEP, **compared.figures)
    if compared.outside and not _accepted(run, build):
        error = _held(run, build, compared)
        _hold(run, build, error)
        raise error
    return {}


def _due(run: Run) -> Build | None:
    """The build, when it is about to come after another."""
    build, live = run.request.build, run.known.live
    return build if run.plan.seals and (live is None or live.build != build) else None


def _compare(run: Run, build: Build, dry: bool) -> _Compared:
    live = run.known.live
    if live is None:
        figures, missing = _measure(run, build, dry, strict=False)
        return _Compared([], {**_counted(figures), **_named("missing", missing)})
    accepted = _accepted(run, build)
    now, missing = _measure(run, build, dry, strict=accepted is None)
    if missing and not accepted:
        raise BadData(missing, way_out(build), node=run.settings.staging)
    was, lost = _measure(run, live.build, dry, strict=accepted is None)
    found = outside(was, now, run.settings) if was and now else []
    told = {
        "with": str(live.build),
        **_counted(now),
        **_named("missing", missing or lost),
        **_named("outside", [str(one) for one in found[:_RECORDED]]),
        **_named("findings", [_finding(run, one) for one in found[:_RECORDED]]),
        **_named("accepted", f"{accepted.who}: {accepted.reason}" if accepted else ""),
    }
    return _Compared(found, told)


def _counted(figures: Figures) -> dict[str, Any]:
    """How many figures were looked at, and AceDB's largest classes with their objects."""
    classes = figures.get(CLASSES, {})
    largest = sorted(classes, key=lambda name: (-classes[name], name))[:_LARGEST]
    return {"counted": count(figures), "classes": {name: classes[name] for name in largest}}


def _finding(run: Run, one: Difference) -> dict[str, Any]:
    """A difference as the board's table shows it."""
    return {**asdict(one), "allowed": allowed(one, run.settings)}


def _measure(run: Run, build: Build, dry: bool, strict: bool) -> tuple[Figures, str]:
    """The figures of a build, or why there are none."""
    staging = run.settings.staging
    answers = run.fleet.ask([staging], "wb_contents.measure", build=str(build), dry=dry)
    answer = answers[staging]
    if answer.good:
        return answer.value["figures"], answer.value["missing"]
    if answer.silent:
        values(answers, "run the same command again")
    if strict:
        raise StepFailed(reason(answer), way_out(build), node=staging)
    return {}, reason(answer)


def _accepted(run: Run, build: Build) -> Verdict | None:
    """What accepted the build as it is sealed: another sealing may hold anything."""
    accepted = run.known.verdict(ACCEPTED, build)
    return accepted if accepted and accepted.digest == _sealing(run) else None


def _sealing(run: Run) -> str:
    """The digest of the build's sealing; in a dry run that of an earlier one, or nothing."""
    return str(run.notes.sealed_digest or run.seen.staging.survey["sealed"] or "none")


def _held(run: Run, build: Build, compared: _Compared) -> BadData:
    what = sentence(build, compared.figures["with"], compared.outside)
    if earlier := run.known.verdict(ACCEPTED, build):
        what += f" ({earlier.who} accepted another sealing of it: {earlier.reason})"
    return BadData(what, way_out(build))


def _hold(run: Run, build: Build, error: BadData) -> None:
    """What a person has said of it stays."""
    hold = run.known.verdict(HOLD, build)
    if hold is None or hold.who == GATE:
        run.ledger.judge(HOLD, build, error.what[:_REASON], GATE)


def _named(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value else {}
