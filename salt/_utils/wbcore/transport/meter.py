"""How far a long piece of work has come: bytes done, in all, and a second."""

from __future__ import annotations

from collections.abc import Callable


class Meter:
    """Counts bytes and reports them, at most once in ``every`` seconds.

    tell
        Called with what is being worked on, bytes done, bytes in all, bytes a second.
    clock
        Seconds that only go forward.

    ``done`` are the bytes that are done by now.
    """

    def __init__(
        self,
        total: int,
        tell: Callable[[str, int, int, float], object],
        clock: Callable[[], float],
        every: float = 1.0,
    ) -> None:
        self.total = total
        self._tell = tell
        self._clock = clock
        self._every = every
        self._began = self._told = clock()
        self.done = 0

    def add(self, what: str, count: int) -> None:
        """``count`` further bytes are done."""
        self.at(what, self.done + count)

    def at(self, what: str, done: int) -> None:
        """``done`` bytes are done by now."""
        self.done = done
        now = self._clock()
        if now - self._told >= self._every:
            self._tell(what, done, self.total, done / max(now - self._began, 1e-6))
            # Telling takes time too, and must not fill all of it.
            self._told = self._clock()
