"""Which datasets are read again tonight, so that none stays unread for longer than it may."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

DAY = 86_400.0
# A night may come an hour late, and the last that may be waited for is the one before the end.
_MARGIN_DAYS = 2


@dataclass(frozen=True)
class Read:
    """A dataset that is held: its bytes, and when (seconds since 1970) they were last read."""

    dataset: str
    bytes: int
    when: float

    def known(self, now: float) -> float:
        """When it was read for sure: never, if a clock that was ahead has stamped it."""
        return self.when if self.when <= now else 0.0


def tonight(held: Iterable[Read], now: float, days: int) -> list[Read]:
    """The datasets to read tonight, those that were not read for longest first.

    Asked every night it has every dataset read within ``days``, about the same number of bytes
    a night; what other nights left undone is read when it would else be too late.
    """
    oldest = sorted(held, key=lambda one: (one.known(now), one.dataset))
    nights = max(1, days - _MARGIN_DAYS)
    share = sum(one.bytes for one in oldest) / nights
    chosen: list[Read] = []
    for one in oldest:
        late = now - one.known(now) >= nights * DAY
        if chosen and not late and sum(other.bytes for other in chosen) >= share:
            break
        chosen.append(one)
    return chosen
