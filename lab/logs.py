"""The logs of a node, read from its disk: they can be seen when it is down, too."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from .command import run
from .node import Node

# In a mount namespace of its own, so that nothing stays mounted.
_JOURNAL = """
mount --bind "$1" "$2/mnt"
chroot "$2" journalctl --directory=/mnt --no-pager --lines="$3" --output=short-iso
"""


def files(node: Node) -> list[Path]:
    """Log files of a node that hold anything, the one written last at the end."""
    places = [
        node.disk / "launch.log",
        *(node.upper / "var/log").rglob("*"),
        *(node.disk / "local").glob("wormbase/website/*/logs/*"),
    ]
    found = [
        path
        for path in places
        if path.suffix != ".journal" and path.is_file() and path.stat().st_size
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime)


def show(node: Node, layers: Sequence[Path], lines: int) -> None:
    """Print the last lines of each log, and of the journal; ``layers`` have its reader."""
    for path in files(node):
        with path.open(encoding="utf-8", errors="replace") as log:
            tail = deque(log, maxlen=lines)
        print(f"==> {path} <==", *(line.rstrip("\n") for line in tail), "", sep="\n")
    journal, base = node.upper / "var/log/journal", layers[-1]
    if journal.is_dir():
        words = ("unshare", "--mount", "sh", "-c", _JOURNAL, "sh", journal, base, str(lines))
        print(f"==> {journal} <==", run(*words, check=False), sep="\n")
