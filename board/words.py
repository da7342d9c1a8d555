"""Figures and times, in words for a page."""

from __future__ import annotations

import time

from wbmaster.reporting.describe import size

__all__ = ["ago", "seconds", "size", "step", "when"]


def when(stamp: float | None) -> str:
    """A time of day, in UTC; '' for none."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(stamp)) if stamp else ""


def seconds(length: float | None) -> str:
    """A length of time: ``0.4 s``, ``37 s``, ``4 min 05 s``; '' for none."""
    if length is None:
        return ""
    if length < 9.95:
        return f"{length:.1f} s"
    whole = round(length)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def ago(stamp: float, now: float) -> str:
    """How long ago something was."""
    return f"{seconds(max(0.0, now - stamp))} ago"


def step(name: str) -> str:
    """A step as people say it."""
    return name.replace("_", " ")
