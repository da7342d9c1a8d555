"""Whether what a push costs the master grows at most as the nodes do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.place import CHECKOUT

from .linear import bends

RESULT = CHECKOUT / "bench/results/scale.json"
JUDGED = ("cpu", "events")
IDLE_NODES, IDLE_SECONDS = 8, 5.0
_HEAD = (
    "nodes", "seconds", "CPU s: master", "salt-run", "each node", "RSS MB", "PSS MB",
    "events", "steps", "again: seconds", "CPU s",
)  # fmt: skip

Row = Mapping[str, Any]


def faults(rows: Sequence[Row]) -> list[str]:
    """Sentences about what is not as it has to be, smallest size first."""
    found = []
    steps = {row["nodes"]: row["push"]["steps"] for row in rows}
    if len(set(steps.values())) > 1:
        found.append(f"the number of steps is not constant: {steps}")
    for name in JUDGED:
        found += bends(name, [(row["nodes"], row["push"][name]) for row in rows])
    return found


def table(rows: Sequence[Row]) -> str:
    """All sizes, a row each."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    push, again = row["push"], row["again"]
    return (
        str(row["nodes"]), f"{push['seconds']:.1f}", f"{push['master_cpu']:.2f}",
        f"{push['command_cpu']:.2f}", f"{push['node_cpu']:.2f}",
        f"{push['rss']:.0f}", f"{push['pss']:.0f}", str(push["events"]), str(push["steps"]),
        f"{again['seconds']:.1f}", f"{again['cpu']:.2f}",
    )  # fmt: skip


def idle_line(rows: Sequence[Row]) -> str:
    """What the same command given again took with few nodes, beside what it may take."""
    for row in rows:
        if row["nodes"] == IDLE_NODES:
            seconds = row["again"]["seconds"]
            word = "met" if seconds < IDLE_SECONDS else "MISSED"
            return (
                f"nothing to do with {IDLE_NODES} nodes: {seconds} s (under {IDLE_SECONDS}: {word})"
            )
    return f"nothing to do: not measured with {IDLE_NODES} nodes"
