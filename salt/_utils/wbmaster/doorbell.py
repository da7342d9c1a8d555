"""Answering many announcements by one look.

Every event of a storm gets a thread of the reactor. The first goes and looks; the second
waits to look after it; whoever comes meanwhile is answered by the second.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from wbcore.events import Announcement

T = TypeVar("T")


class Doorbell:
    """Rung by any number of threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._turn = threading.Lock()
        self._rung: dict[Announcement, None] = {}
        self._somebody_waits = False

    def ring(self, one: Announcement, look: Callable[[Sequence[Announcement]], T]) -> T | None:
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


# The reactor's threads share it.
DOORBELL = Doorbell()
