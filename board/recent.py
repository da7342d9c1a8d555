"""What is not made anew for everybody who asks at nearly the same time."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """A value that is made when somebody asks, and not again for so many seconds; whoever asks
    while it is made waits for it."""

    def __init__(
        self,
        make: Callable[[], Value],
        seconds: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._seconds, self._now = make, seconds, now
        self._lock, self._made = threading.Lock(), list[tuple[float, Value]]()

    def value(self) -> Value:
        """The value, no older than that."""
        with self._lock:
            if not self._made or self.is_old:
                self._made = [(self._now(), self._make())]
            return self._made[0][1]

    @property
    def is_old(self) -> bool:
        """Whether it was made, and longer ago."""
        return any(self._now() - at > self._seconds for at, _ in self._made)


class Answers:
    """What the nodes answer each person, for ten seconds: each question goes to all of them.

    ask
        Asks under a person's Salt token.
    """

    SECONDS = 10.0

    def __init__(
        self, ask: Callable[[str], Any], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._now = ask, now
        self._lock, self._answers = threading.Lock(), dict[str, Recent[Any]]()

    def of(self, token: str) -> Any:
        """The answer for a person."""
        with self._lock:
            kept = {one: answer for one, answer in self._answers.items() if not answer.is_old}
            made = Recent(functools.partial(self._ask, token), self.SECONDS, self._now)
            answer = kept.setdefault(token, made)
            self._answers = kept
        return answer.value()
