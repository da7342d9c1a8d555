"""Seeing a run go: its events as lines, or drawn where there is a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from wbcore import events

from .describe import size

if TYPE_CHECKING:
    from .opening import Office
    from .run import Run


def show_in_this_terminal(office: Office, begun: Run) -> None:
    """Follow the run from a thread of its own process, for whoever gave the command."""
    ready = threading.Event()
    thread = threading.Thread(
        target=_follow, args=(office, begun.id, ready), name="progress", daemon=True
    )
    thread.start()
    # An event fired before the follower listens would be lost.
    ready.wait(2)


def until_ended(office: Office, run_id: str) -> None:
    """Follow another process's run until its lock is free."""
    screen = Screen()
    for event in office.bus.follow(events.PREFIX):
        if event:
            screen.show(*event)
        if office.lock.free() or office.lock.holder().get("run") != run_id:
            return


def _follow(office: Office, run_id: str, ready: threading.Event) -> None:
    screen = Screen()
    for event in office.bus.follow(events.PREFIX):
        ready.set()
        if event:
            screen.show(*event)
            parsed = events.parse_tag(event[0])
            if parsed and parsed[1] == "run":
                return


class Screen:
    """Progress on standard error: a line an event, progress at most every two seconds."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def show(self, tag: str, payload: Mapping[str, Any]) -> None:
        """Show one event of a run."""
        parsed = events.parse_tag(tag)
        if parsed is None:
            return
        build, step, phase = parsed
        line = _line(step, phase, payload)
        if phase == events.PROGRESS and not payload.get("complete"):
            key = f"{step}/{payload.get('node')}"
            if time.monotonic() - self._last.get(key, 0) < 2:
                return
            self._last[key] = time.monotonic()
        print(f"{time.strftime('%H:%M:%S')} {build} {line}", file=sys.stderr, flush=True)


def _line(step: str, phase: str, payload: Mapping[str, Any]) -> str:
    if phase == events.PROGRESS:
        return f"{step}: {payload.get('node', '')} {_progress(payload)}"
    if phase == events.FAILED:
        return f"{step}: failed: {payload.get('error', '')}"
    if phase == events.DONE:
        return f"{step}: done in {payload.get('seconds', 0):.1f} s" if step != "run" else "done"
    return f"{step}: begins"


def _progress(payload: Mapping[str, Any]) -> str:
    if payload.get("complete"):
        return f"complete, {size(payload['received'])} received"
    done, total, rate = payload["done"], payload["total"], payload["rate"]
    left = f", {(total - done) / rate:.0f} s left" if rate else ""
    return f"{payload['dataset']} {size(done)} of {size(total)}, {size(rate)}/s{left}"
