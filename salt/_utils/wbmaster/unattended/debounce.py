"""Answering many events by one look.

Every event of a storm gets a thread of the reactor. The first goes and looks; the second
waits to look after it; whoever comes meanwhile is answered by the second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from wbcore.events import Announcement

A = TypeVar("A", bound=Hashable)
T = TypeVar("T")


class Doorbell(Generic[A]):
    """Rung by any number of threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._rung: dict[A, None] = {}
        self._somebody_waits = False

    def ring(self, one: A, look: Callable[[Sequence[A]], T]) -> T | None:
        """What ``look`` says of this and of whatever else was rung since the last look; None
        when somebody waits to look already, who takes this along."""
        with self._guard:
            self._rung[one] = None
            if self._somebody_waits:
                return None
            self._somebody_waits = True
        with self._turn:
            with self._guard:
                self._somebody_waits = False
                rung, self._rung = list(self._rung), {}
            return look(rung)


# The reactor's threads share them: builds that landed, ids of nodes that serve again, and of
# those on which a restart is due.
LANDED: Doorbell[Announcement] = Doorbell()
JOINED: Doorbell[str] = Doorbell()
DUE: Doorbell[str] = Doorbell()
