"""The picture of a measurement, as SVG text."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lab.place import CHECKOUT

from . import growing, report

WIDTH, LABELS, BAR, GAP, HEAD = 720, 130, 20, 8, 34
# Colours that can be told apart in grey and by those who see no red; one a remote node.
COLOURS = ("#1b6ca8", "#e69f00", "#56a86b")
_ROOM = WIDTH - LABELS - 90

Bar = tuple[str, Sequence[float], str]


def main() -> None:
    """Draw what bench/push and bench/grow have measured last."""
    pictures = {"push.svg": (report.RESULT, pushed), "grow.svg": (growing.RESULT, grown)}
    measured = {name: one for name, one in pictures.items() if one[0].exists()}
    if not measured:
        sys.exit("nothing was measured yet: bench/push, bench/grow")
    for name, (result, draw) in measured.items():
        (CHECKOUT / "docs" / name).write_text(draw(json.loads(result.read_text())))


def grown(result: Mapping[str, Any]) -> str:
    """Four groups of bars: bytes over the WAN and seconds, by nodes and by size."""
    size = f"{result['nodes'][0]['bytes'] / 1e6:,.0f} MB"
    groups = {
        f"Over the WAN, by nodes ({size})": _bars(result["nodes"], _nodes, "wan", 1e6, "MB"),
        "Seconds, by nodes": _bars(result["nodes"], _nodes, "seconds", 1, "s"),
        "Over the WAN, by size (8 nodes)": _bars(result["sizes"], _size, "wan", 1e6, "MB"),
        "Seconds, by size": _bars(result["sizes"], _size, "seconds", 1, "s"),
    }
    return _stacked(groups)


def _bars(
    rows: Sequence[Mapping[str, Any]],
    name: Callable[[Mapping[str, Any]], str],
    key: str,
    unit: float,
    word: str,
) -> list[Bar]:
    return [(name(row), [row[key]], f"{row[key] / unit:,.1f} {word}") for row in rows]


def _nodes(row: Mapping[str, Any]) -> str:
    return f"{row['nodes']} nodes"


def _size(row: Mapping[str, Any]) -> str:
    return f"{row['bytes'] / 1e6:,.0f} MB"


def pushed(result: Mapping[str, Any]) -> str:
    """Two groups of bars: what crossed the WAN, a part for each node, and the seconds."""
    ways = result["ways"]
    nodes = list(result["ways"]["orch.push"]["nodes"])
    crossed = [
        (name, [way["nodes"][node] for node in nodes], f"{way['wan'] / 1e6:,.1f} MB")
        for name, way in ways.items()
    ]
    seconds = [(name, [way["seconds"]], f"{way['seconds']:,.1f} s") for name, way in ways.items()]
    size = (
        f"{result['build']}, {result['bytes'] / 1e6:,.0f} MB, link {result['wan_megabytes']} MB/s"
    )
    named = " ".join(map(_coloured, nodes, COLOURS))
    return _stacked({
        f"Over the WAN for {named} ({size})": crossed,
        "Seconds until all nodes have it": seconds,
    })  # fmt: skip


def _stacked(groups: Mapping[str, Sequence[Bar]]) -> str:
    """Groups of bars below one another, each with its title and a scale of its own."""
    parts: list[str] = []
    top = 0
    for title, bars in groups.items():
        parts += _group(title, bars, top)
        top += _height(bars)
    return _svg(parts, top)


def _height(bars: Sequence[Bar]) -> int:
    return HEAD + len(bars) * (BAR + GAP) + GAP


def _group(title: str, bars: Sequence[Bar], top: int) -> Iterator[str]:
    yield _text(0, top + 20, title, "font-weight='bold'")
    scale = _ROOM / max(sum(parts) for _, parts, _ in bars)
    for row, (name, parts, label) in enumerate(bars):
        y = top + HEAD + row * (BAR + GAP)
        yield _text(LABELS - 8, y + 15, name, "text-anchor='end'")
        x = float(LABELS)
        for part, colour in zip(parts, COLOURS, strict=False):
            yield _rectangle(x, y, part * scale, colour)
            x += part * scale
        yield _text(x + 6, y + 15, label)


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y}' {more}>{text}</text>"


def _coloured(name: str, colour: str) -> str:
    return f"<tspan fill='{colour}'>{name}</tspan>"


def _rectangle(x: float, y: int, width: float, colour: str) -> str:
    size = f"width='{width:.1f}' height='{BAR}'"
    return f"<rect x='{x:.1f}' y='{y}' {size} fill='{colour}'/>"


def _svg(parts: Sequence[str], height: int) -> str:
    head = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' "
        "font-family='sans-serif' font-size='13'>"
    )
    return "\n".join(
        [head, "<rect width='100%' height='100%' fill='white'/>", *parts, "</svg>", ""]
    )
