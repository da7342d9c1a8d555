"""What of an event may reach a terminal: any minion can put an event on the bus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LONGEST = 1000
_MOST = 1e18


def printable(value: object) -> str:
    """A value in one line of at most 1000 characters, of which none moves a cursor or turns
    the direction of writing."""
    text = str(value)[:_LONGEST]
    return "".join(one if one.isprintable() else " " for one in text)


def number(value: object) -> float:
    """A number of bytes or seconds, 0 for anything that can be none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if abs(value) < _MOST and value >= 0 else 0.0


@dataclass(frozen=True)
class Moving:
    """How far a node has come with a dataset: bytes done and in all, bytes a second."""

    node: str
    dataset: str
    done: float
    total: float
    rate: float

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Moving:
        """What a progress event says, whoever sent it."""
        node, dataset = (printable(payload.get(key, "")) for key in ("node", "dataset"))
        done, total, rate = (number(payload.get(key)) for key in ("done", "total", "rate"))
        return cls(node, dataset, done, total, rate)
