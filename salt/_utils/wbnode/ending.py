"""Ending processes that no unit of systemd ends."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from wbcore.errors import StepFailed

_POLL_SECONDS = 0.005


def end(pids: Iterable[int], what: str, seconds: float, first: int = signal.SIGTERM) -> None:
    """End processes, if need be by force; they are gone when this returns.

    what
        Their name, for the StepFailed that says that one does not end.
    seconds
        How long they are waited for after each of the two signals.
    first
        The signal that asks them to end.
    """
    left = list(pids)
    for sign in (first, signal.SIGKILL):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        until = time.monotonic() + seconds
        while (left := [pid for pid in left if _lives(pid)]) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
    if left:
        raise StepFailed(f"{what} does not end: process {left[0]}", "look at it on this node")


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
