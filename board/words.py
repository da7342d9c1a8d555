"""Figures and times, in words for a page."""

from __future__ import annotations

import time

from wbmaster.reporting.describe import length as seconds
from wbmaster.reporting.describe import size

__all__ = ["ago", "clock", "seconds", "size", "step", "when"]


def when(stamp: float | None) -> str:
    """A time of day, in UTC; '' for none."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(stamp)) if stamp else ""


def clock(stamp: float) -> str:
    """The time of a day that stands elsewhere on the page, in UTC."""
    return time.strftime("%H:%M:%S", time.gmtime(stamp))


def ago(stamp: float, now: float) -> str:
    """How long ago something was."""
    return f"{seconds(max(0.0, now - stamp))} ago"


def step(name: str) -> str:
    """A step as people say it."""
    return name.replace("_", " ")
