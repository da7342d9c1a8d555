"""A run's events on a screen: drawn by rich on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from wbcore import events
from wbcore.printable import Moving, number, printable

from .describe import size

# Without a terminal a line of progress for a node every so many seconds.
_LINE_SECONDS = 5
# Nodes at work at once; names beyond are forged, or more than a screen can show.
_MOST = 100


class Screen(Protocol):
    """Whatever shows events."""

    def show(self, tag: str, payload: Mapping[str, Any]) -> None:
        """Show one event of a run."""

    def close(self) -> None:
        """Leave the screen as a shell expects it."""


def for_this_terminal() -> Screen:
    """The screen that suits standard error."""
    return Drawn(Console(stderr=True)) if sys.stderr.isatty() else Lines()


class Lines:
    """A line an event."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def show(self, tag: str, payload: Mapping[str, Any]) -> None:
        parsed = events.parse_tag(tag)
        if parsed is None or (parsed[2] == events.PROGRESS and self._too_soon(parsed[1], payload)):
            return
        build, step, phase = parsed
        stamp = time.strftime("%H:%M:%S")
        print(
            f"{stamp} {printable(build)} {line(step, phase, payload)}", file=sys.stderr, flush=True
        )

    def close(self) -> None:
        pass

    def _too_soon(self, step: str, payload: Mapping[str, Any]) -> bool:
        if payload.get("complete"):
            return False
        key, now = f"{step}/{printable(payload.get('node'))}", time.monotonic()
        if len(self._last) > _MOST:
            self._last.clear()
        if now - self._last.get(key, now - _LINE_SECONDS) < _LINE_SECONDS:
            return True
        self._last[key] = now
        return False


class Drawn:
    """A bar for every node that copies, a line for every step that ends."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            # An error may hold what rich takes for its own markup: [/usr/…].
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._bars: dict[str, TaskID] = {}
        self._progress.start()

    def show(self, tag: str, payload: Mapping[str, Any]) -> None:
        parsed = events.parse_tag(tag)
        if parsed is None:
            return
        build, step, phase = parsed
        if phase == events.PROGRESS and not payload.get("complete"):
            self._move(step, payload)
            return
        if phase in (events.DONE, events.FAILED):
            self._clear(step)
        text = f"{printable(build)} {line(step, phase, payload)}"
        self._progress.console.print(text, highlight=False, markup=False, emoji=False)

    def close(self) -> None:
        self._progress.stop()

    def _move(self, step: str, payload: Mapping[str, Any]) -> None:
        moving = Moving.of(payload)
        key = f"{step}/{moving.node}"
        text = f"{moving.node} {moving.dataset}"
        if key not in self._bars and len(self._bars) < _MOST:
            self._bars[key] = self._progress.add_task(text)
        if key in self._bars:
            self._progress.update(
                self._bars[key], description=text, completed=moving.done, total=moving.total
            )

    def _clear(self, step: str) -> None:
        for key in [key for key in self._bars if key.startswith(f"{step}/")]:
            self._progress.remove_task(self._bars.pop(key))
        self._progress.refresh()


def line(step: str, phase: str, payload: Mapping[str, Any]) -> str:
    """An event in one line."""
    if phase == events.PROGRESS:
        return f"{step}: {printable(payload.get('node', ''))} {_progress(payload)}"
    if phase == events.FAILED:
        return f"{step}: failed: {printable(payload.get('error', ''))}"
    if phase == events.DONE and step != "run":
        return f"{step}: done in {number(payload.get('seconds')):.1f} s"
    return f"{step}: {'begins' if phase == events.START else 'done'}"


def _progress(payload: Mapping[str, Any]) -> str:
    if payload.get("complete"):
        return f"complete, {size(number(payload.get('received')))} received"
    moving = Moving.of(payload)
    left = max(0, moving.total - moving.done) / moving.rate if moving.rate else None
    rest = "" if left is None else f", {left:.0f} s left"
    far = f"{size(moving.done)} of {size(moving.total)}, {size(moving.rate)}/s"
    return f"{moving.dataset} {far}{rest}"
