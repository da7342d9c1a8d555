"""Charts as plain geometry, which the templates write as SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from wbmaster.reporting.tree import Step, Tree

from .words import seconds, step

WIDTH = 760
_LABELS, _ROW, _TOP = 170, 26, 24
_NARROW, _STEPS = 2.0, 5


@dataclass(frozen=True)
class Bar:
    """A bar of a Gantt chart; ``kind`` is a state, ``forecast`` or ``node``."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str


@dataclass(frozen=True)
class Label:
    """A text at a place."""

    x: float
    y: float
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Gantt:
    """Steps by node over time; ``ticks`` are the marks of the time axis."""

    height: float
    bars: Sequence[Bar]
    labels: Sequence[Label]
    ticks: Sequence[Label]


def gantt(run: Tree) -> Gantt:
    """A run: a row a step, with what was forecast under what came; then a row for each node
    that the step names with its own seconds."""
    begun = [one for one in run.steps if one.began is not None]
    began = run.row["began"]
    span = max([run.seconds, *(_ends(one, began) for one in begun)], default=1.0) or 1.0
    scale = (WIDTH - _LABELS - 10) / span
    bars: list[Bar] = []
    labels: list[Label] = []
    y = float(_TOP)
    for one in begun:
        labels.append(Label(_LABELS - 8, y + 15, step(one.name), one.state))
        bars += _of_step(one, began, scale, y)
        y += _ROW
        for node, length in _by_node(one).items():
            labels.append(Label(_LABELS - 8, y + 10, node, "node"))
            title = f"{node}: {seconds(length)}"
            bars.append(_bar(_start(one, began), length, scale, y + 2, 8, "node", title))
            y += 16
    ticks = [
        Label(_LABELS + mark * scale, y, seconds(mark) if mark else "0") for mark in marks(span)
    ]
    return Gantt(y + 22, bars, labels, ticks)


def _of_step(one: Step, began: float, scale: float, y: float) -> list[Bar]:
    length, start = one.seconds or 0.0, _start(one, began)
    told = f"{step(one.name)}: {one.state}, {seconds(length)}"
    bars = [_bar(start, length, scale, y + 3, 13, one.state, told)]
    if one.forecast is not None:
        told = f"{step(one.name)}: {seconds(one.forecast)} the last time"
        bars.append(_bar(start, one.forecast, scale, y + 18, 4, "forecast", told))
    return bars


def _bar(
    start: float, length: float, scale: float, y: float, height: float, kind: str, title: str
) -> Bar:
    return Bar(_LABELS + start * scale, y, max(_NARROW, length * scale), height, kind, title)


def _start(one: Step, began: float) -> float:
    return (one.began or began) - began


def _ends(one: Step, began: float) -> float:
    return _start(one, began) + max(one.seconds or 0.0, one.forecast or 0.0)


def _by_node(one: Step) -> Mapping[str, float]:
    """Node → seconds, of the figures that a step has by node."""
    for name in ("finished", "preflight", "tables", "slowest"):
        if isinstance(one.figures.get(name), Mapping):
            return {str(node): float(length) for node, length in one.figures[name].items()}
    return {}


def marks(top: float) -> list[float]:
    """Round figures from 0 up to ``top``, about five of them."""
    if top <= 0:
        return [0.0]
    rough = top / _STEPS
    unit = 10 ** math.floor(math.log10(rough))
    width = next(unit * one for one in (1, 2, 5, 10) if unit * one >= rough)
    return [width * number for number in range(int(top / width + 1e-9) + 1)]


@dataclass(frozen=True)
class Curve:
    """A figure over releases.

    path
        The points of a polyline; ``dots`` has each of them with what it says.
    rows
        (release, figure) for those who read a table.
    """

    title: str
    path: str
    dots: Sequence[Label]
    ticks: Sequence[Label]
    rows: Sequence[tuple[str, str]]


_HEIGHT, _LEFT, _FOOT = 180, 70, 24


def curve(title: str, points: Sequence[tuple[str, float]], words: Callable[[float], str]) -> Curve:
    """A curve of (release, figure), oldest first; ``words`` says a figure."""
    top = max((figure for _, figure in points), default=0.0) or 1.0
    axis = marks(top)
    top = max(top, axis[-1])
    wide = (WIDTH - _LEFT - 20) / max(1, len(points) - 1)
    places = [
        (_LEFT + wide * number, 10 + (_HEIGHT - _FOOT) * (1 - figure / top))
        for number, (_, figure) in enumerate(points)
    ]
    return Curve(
        title,
        " ".join(f"{x:.1f},{y:.1f}" for x, y in places),
        [
            Label(x, y, f"{name}: {words(figure)}", name)
            for (x, y), (name, figure) in zip(places, points, strict=True)
        ],
        [Label(_LEFT - 8, 10 + (_HEIGHT - _FOOT) * (1 - one / top), words(one)) for one in axis],
        [(name, words(figure)) for name, figure in points],
    )
