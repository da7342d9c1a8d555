"""The logs of a node, read from its disk: they can be seen when it is down, too."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from .node import Node


def files(node: Node) -> list[Path]:
    """Log files of a node that hold anything, the one written last at the end."""
    places = [
        node.disk / "launch.log",
        *(node.upper / "var/log").rglob("*"),
        *(node.disk / "local").glob("wormbase/website/*/logs/*"),
    ]
    found = [path for path in places if path.is_file() and path.stat().st_size]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def show(node: Node, lines: int) -> None:
    """Print the last lines of each log."""
    for path in files(node):
        with path.open(encoding="utf-8", errors="replace") as log:
            tail = deque(log, maxlen=lines)
        print(f"==> {path} <==", *(line.rstrip("\n") for line in tail), "", sep="\n")
