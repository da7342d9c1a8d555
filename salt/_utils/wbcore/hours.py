"""Hours of the week, such as ``mon-fri 06:00-18:00``; all times are UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TEXT = re.compile(
    r"(?:(?P<first>[a-z]{3})(?:-(?P<last>[a-z]{3}))? )?"
    r"(?P<begin>[0-9]{2}:[0-9]{2})-(?P<end>[0-9]{2}:[0-9]{2})"
)
_DAY_MINUTES = 24 * 60


@dataclass(frozen=True)
class Hours:
    """From ``begin`` until before ``end`` (minutes of the day) of each of the ``days`` (Monday
    is 0). An end before the begin is on the next day."""

    days: frozenset[int]
    begin: int
    end: int

    @classmethod
    def parse(cls, text: str) -> Hours:
        """The hours that ``text`` names; '' is always. ValueError for anything else."""
        if not text:
            return cls(frozenset(range(7)), 0, _DAY_MINUTES)
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(text)
        days = _days(match["first"], match["last"])
        hours = cls(days, _time(match["begin"]), _time(match["end"]))
        if hours.begin in (hours.end, _DAY_MINUTES):
            raise ValueError(text)
        return hours

    def contain(self, moment: datetime) -> bool:
        """Whether a moment (UTC) lies in these hours."""
        minute, day = moment.hour * 60 + moment.minute, moment.weekday()
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        before = (day - 1) % 7
        return (day in self.days and minute >= self.begin) or (
            before in self.days and minute < self.end
        )


def _days(first: str | None, last: str | None) -> frozenset[int]:
    if first is None:
        return frozenset(range(7))
    begin = _DAYS.index(first)
    count = (_DAYS.index(last) - begin) % 7 if last else 0
    return frozenset((begin + step) % 7 for step in range(count + 1))


def _time(text: str) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    total = hour * 60 + minute
    if minute > 59 or total > _DAY_MINUTES:
        raise ValueError(text)
    return total
