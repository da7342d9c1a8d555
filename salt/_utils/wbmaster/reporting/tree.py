"""A run as a tree, for whoever draws one: its steps, and under a step the nodes that are at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wbcore import events
from wbcore.printable import Moving, number

from ..ledger import Ledger

Row = Mapping[str, Any]
WAITING, RUNNING, DONE, FAILED, BROKEN_OFF = "waiting", "running", "done", "failed", "broken off"
# Runs that are looked through for the last one of the same kind.
_MOST = 300
# Nodes at work at once; names beyond are forged, or more than a screen can show.
_MOST_NODES = 100


@dataclass(frozen=True)
class Step:
    """A step of a run.

    state
        ``waiting``, ``running``, ``done``, ``failed`` or ``broken off``.
    began, seconds
        When it began, seconds since 1970, and how long it took or takes; None before.
    forecast
        Seconds that it took the last time; None where it was not taken then.
    nodes
        How far the nodes have come that are at it now.
    """

    name: str
    state: str
    began: float | None = None
    seconds: float | None = None
    forecast: float | None = None
    error: str = ""
    figures: Row = field(default_factory=dict)
    nodes: Sequence[Moving] = ()


@dataclass(frozen=True)
class Tree:
    """A run with its steps; ``row`` is the ledger's."""

    row: Row
    steps: Sequence[Step]
    now: float

    @property
    def outcome(self) -> str:
        """``running``, or how it ended."""
        return str(self.row["outcome"] or RUNNING)

    @property
    def title(self) -> str:
        """What was asked for, in a word or two."""
        minor = " (webapp only)" if self.row["request"].get("minor") else ""
        return f"{self.row['kind']} {self.row['release'] or self.row['build']}{minor}".strip()

    @property
    def seconds(self) -> float:
        """How long it took, or has taken so far."""
        return float((self.row["ended"] or self.now) - self.row["began"])

    @property
    def forecast(self) -> float | None:
        """Seconds that the run was forecast to take; None where nothing was."""
        minutes = self.row["forecast"].get("minutes")
        return minutes * 60 if minutes else None

    @property
    def received(self) -> float:
        """Bytes that all nodes received."""
        return sum(number(step.figures.get("received")) for step in self.steps)

    @property
    def window(self) -> float | None:
        """Seconds for which the maintenance page was up."""
        return next((one.figures["window"] for one in self.steps if "window" in one.figures), None)


class Progress:
    """How far nodes are with the steps at work, out of the events on the bus."""

    def __init__(self) -> None:
        self._moving: dict[tuple[str, str], Moving] = {}

    def heard(self, tag: str, payload: Row) -> None:
        """Take in an event; what is none of ours is ignored."""
        parsed = events.parse_tag(tag)
        if parsed is None:
            return
        _, step, phase = parsed
        if phase == events.PROGRESS:
            self._move(step, payload)
        else:
            self._moving = {key: one for key, one in self._moving.items() if key[0] != step}

    def moving(self) -> list[tuple[str, Moving]]:
        """(step, how far a node has come with it)."""
        return [(step, one) for (step, _), one in self._moving.items()]

    def _move(self, step: str, payload: Row) -> None:
        moving = Moving.of(payload)
        key = (step, moving.node)
        if payload.get("complete"):
            self._moving = {one: value for one, value in self._moving.items() if one != key}
        elif len(self._moving) < _MOST_NODES or key in self._moving:
            # A new dictionary each time: another thread draws the one before.
            self._moving = {**self._moving, key: moving}


def of(ledger: Ledger, row: Row, now: float, moving: Iterable[tuple[str, Moving]] = ()) -> Tree:
    """A run with its steps, those that are still to come among them.

    moving
        (step, how far a node has come with it), of the run at work.
    """
    rows, usual = ledger.steps(row["id"]), before(ledger, row)
    at_work = [] if row["ended"] else list(moving)
    steps = [_step(one, row, usual, now, at_work) for one in rows]
    if not row["ended"]:
        taken = {one.name for one in steps}
        steps += [
            Step(name, WAITING, forecast=far) for name, far in usual.items() if name not in taken
        ]
    return Tree(row, steps, now)


def before(ledger: Ledger, row: Row) -> dict[str, float]:
    """Step → seconds, of the last run of the same kind before this one that ended well."""
    for one in ledger.runs(_MOST):
        if one["began"] < row["began"] and one["outcome"] == DONE and _kind(one) == _kind(row):
            return {
                step["step"]: float(step["figures"].get("seconds", 0))
                for step in ledger.steps(one["id"])
            }
    return {}


def _kind(row: Row) -> tuple[str, bool]:
    return row["kind"], bool(row["request"].get("minor"))


def _step(one: Row, run: Row, usual: Row, now: float, moving: Iterable[tuple[str, Moving]]) -> Step:
    broken = BROKEN_OFF if run["ended"] else RUNNING
    ended = one["ended"] or run["ended"] or now
    return Step(
        name=one["step"],
        state=one["outcome"] or broken,
        began=one["began"],
        seconds=ended - one["began"],
        forecast=usual.get(one["step"]),
        error=one["error"],
        figures=one["figures"],
        nodes=[far for step, far in moving if step == one["step"]],
    )
