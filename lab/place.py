"""Where a lab keeps its things, and what they are called on the machine.

Each checkout has a lab of its own. All names of its links, namespaces and tables
begin with ``wl`` and the lab's id, so that they can be found and removed by name.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CACHE = Path("/var/cache/wormbase-lab")
STATE = Path("/var/lib/wormbase-lab")
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Place:
    """The lab of one checkout."""

    checkout: Path = CHECKOUT

    @property
    def id(self) -> str:
        """Six hexadecimal digits that stand for the checkout's path."""
        return hashlib.sha256(str(self.checkout).encode()).hexdigest()[:6]

    @property
    def prefix(self) -> str:
        """What the names of this lab's links, namespaces and tables begin with."""
        return f"wl{self.id}"

    @property
    def state(self) -> Path:
        return STATE / self.id

    @property
    def record(self) -> Path:
        """What the lab is: its nodes, subnet, layers, and what was chosen when it was made."""
        return self.state / "lab.json"

    def disk(self, node: str) -> Path:
        """The directory that holds all that a node has written."""
        return self.state / "nodes" / node

    def namespace(self, node: str) -> str:
        """Name of a node's network namespace."""
        return f"{self.prefix}-{node}"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One command at a time changes a lab."""
        with held(STATE / f"{self.id}.lock"):
            yield


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold an exclusive lock; whoever dies lets it go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
