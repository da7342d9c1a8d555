"""The runs that somebody looks for, and what happened in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wbcore.printable import number, printable
from wbmaster.reporting.tree import DONE, FAILED, RUNNING, Row, Step, Tree

from . import words


def chosen(rows: Iterable[Row], build: str, kind: str, outcome: str) -> list[Row]:
    """The runs that somebody looks for; '' leaves a question open."""
    return [
        row
        for row in rows
        if build in ("", row["build"])
        and kind in ("", row["kind"])
        and outcome in ("", row["outcome"] or RUNNING)
    ]


def happened(run: Tree) -> list[tuple[float, str]]:
    """What happened in a run, in order: (seconds since 1970, in words)."""
    told = [one for step in run.steps for one in _in_step(step)]
    ended = run.row["ended"]
    return [
        (run.row["began"], "the run begins"),
        *sorted(told),
        *([(ended, f"the run ends: {run.outcome}")] if ended else []),
    ]


def _in_step(step: Step) -> Iterator[tuple[float, str]]:
    if step.began is None:
        return
    name = words.step(step.name)
    yield step.began, f"{name} begins"
    finished, left_out = (step.figures.get(key) for key in ("finished", "left_out"))
    for node, seconds in finished.items() if isinstance(finished, dict) else ():
        yield step.began + number(seconds), f"{name}: {printable(node)} has everything"
    ended = step.began + (step.seconds or 0.0)
    for node, why in left_out.items() if isinstance(left_out, dict) else ():
        yield ended, f"{name}: {printable(node)} is left out, since {printable(why)}"
    if step.state == DONE:
        yield ended, f"{name} is done"
    if step.state == FAILED:
        yield ended, f"{name} failed: {step.error}"
