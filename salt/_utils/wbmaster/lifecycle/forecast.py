"""What a run will cost, by what the last one of its kind has cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from wbcore.datasets import Dataset
from wbcore.disk.space import left_on_fullest

from ..golive import maintenance_page, ways
from ..run import Run
from ..steps.make_parcels import wanted

# Before anything was ever pushed so: what rsync was measured to send of a first release, as a
# share of its size; the bytes that it moves, and that parcels are made of, in a second (measured by
# `bench/push`); and the seconds of the steps that do not grow (20 to 23 were measured).
_FIRST_RATIO = 0.25
_FIRST_RATE = 5e6
_FIRST_PARCELS_RATE = 9e6
_FIRST_SECONDS = 20.0
_KINDS = ("acedb", "mysql", "support")
# These take longer the more there is to move.
_GROWING = ("seal", "make_parcels", *(f"push_{kind}" for kind in _KINDS))

Steps = Mapping[str, Mapping[str, Any]]


def forecast(run: Run) -> dict[str, Any]:
    """Bytes into each site, minutes, seconds of window, and of each node the bytes left on
    the disk that is then the fullest."""
    steps = _experience(run)
    into = _into_sites(run, steps)
    return {
        "bytes": into,
        "minutes": round(_seconds(run, into, steps) / 60, 2),
        "window_seconds": _window(run),
        "free_after": {
            node: left_on_fullest(seen.free, run.plan.pull_sizes(node))
            for node, seen in run.seen.nodes.items()
            if seen.free
        },
    }


def _into_sites(run: Run, steps: Steps) -> dict[str, int]:
    """What will enter each site, kind by kind, since tables and blocks pack differently."""
    total: dict[str, int] = {}
    for kind in _KINDS:
        figures = steps.get(f"push_{kind}", {})
        for site, size in run.plan.unpacked(run.settings, _of_kind(run, kind)).items():
            before = figures.get("unpacked", {}).get(site, 0)
            ratio = figures["entered"].get(site, 0) / before if before else _FIRST_RATIO
            total[site] = total.get(site, 0) + int(size * ratio)
    return total


def _of_kind(run: Run, kind: str) -> dict[str, list[str]]:
    return {
        node: [dataset for dataset in datasets if Dataset.parse(dataset).kind == kind]
        for node, datasets in run.plan.pulls.items()
    }


def _window(run: Run) -> float:
    """Seconds for which the maintenance page would be up."""
    shown = run.plan.needs_golive and ways.of(run) is maintenance_page
    return run.settings.golive.window_seconds if shown else 0


def _seconds(run: Run, into: Mapping[str, int], steps: Steps) -> float:
    if not into:
        # Nothing is brought: as long as the last one of its kind took.
        alike = run.ledger.newest_done(run.request)
        return sum(float(figures.get("seconds", 0)) for figures in alike.values())
    moved = sum(figures.get("bytes", 0) for name, figures in steps.items() if "push_" in name)
    if not moved:
        return _first_seconds(run, into)
    growth = float(sum(run.plan.pull_bytes().values()) / moved)
    moving = sum(_each(steps, growing=True))
    return moving * growth + sum(_each(_went_live(run), growing=False))


def _first_seconds(run: Run, into: Mapping[str, int]) -> float:
    lacking = max(run.plan.pull_bytes().values()) if wanted(run) else 0
    return _FIRST_SECONDS + lacking / _FIRST_PARCELS_RATE + max(into.values()) / _FIRST_RATE


def _each(steps: Steps, growing: bool) -> Iterator[float]:
    """Seconds of the steps that grow with the bytes, or of the others."""
    for name, figures in steps.items():
        if (name in _GROWING) is growing:
            yield float(figures["seconds"])


def _went_live(run: Run) -> Steps:
    """The steps of the newest run that brought a build and made it live, when this one will."""
    if not run.plan.needs_golive:
        return {}
    return next((steps for steps in run.ledger.pushes() if "go_live" in steps), {})


def _experience(run: Run) -> Steps:
    """The steps of the newest run that brought a build as this one will: by parcels or not."""
    by_parcels = bool(wanted(run))
    for steps in run.ledger.pushes():
        if by_parcels == bool(steps.get("make_parcels", {}).get("parcels")):
            return steps
    return {}
