"""What the nodes have answered a person, for a moment: each question goes to all of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SECONDS = 10.0


@dataclass
class _Answer:
    lock: threading.Lock = field(default_factory=threading.Lock)
    at: float | None = None
    value: Any = None


class Answers:
    """One question at a time for each person, whoever loads the page how often.

    ask
        Asks under a person's Salt token.
    """

    def __init__(
        self, ask: Callable[[str], Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._clock = ask, clock
        self._lock, self._answers = threading.Lock(), dict[str, _Answer]()

    def of(self, token: str) -> Any:
        """The answer for a person, at most ten seconds old."""
        with self._lock:
            self._forget()
            answer = self._answers.setdefault(token, _Answer())
        with answer.lock:
            if self._is_old(answer):
                answer.value = self._ask(token)
                answer.at = self._clock()
            return answer.value

    def _is_old(self, answer: _Answer) -> bool:
        return answer.at is None or self._clock() - answer.at > SECONDS

    def _forget(self) -> None:
        """Nobody's answer is kept after it is old."""
        for token, answer in list(self._answers.items()):
            # One without an answer is about to be asked for.
            if answer.at is not None and self._is_old(answer) and not answer.lock.locked():
                del self._answers[token]
