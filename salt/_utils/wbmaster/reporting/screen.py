"""A run on a screen: a tree drawn by rich on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text
from wbcore import events
from wbcore.errors import ReleaseError
from wbcore.printable import Moving, number, printable

from . import lines
from .describe import size
from .tree import BROKEN_OFF, DONE, FAILED, RUNNING, WAITING, Progress, Tree

Look = Callable[[Sequence[tuple[str, Moving]]], Tree | None]
_REFRESHES = 4
_LAST_LINES = 4
_STYLES = {
    WAITING: "dim",
    RUNNING: "bold cyan",
    DONE: "green",
    FAILED: "bold red",
    BROKEN_OFF: "bold red",
}
# Without a terminal a line of progress for a node every so many seconds.
_LINE_SECONDS = 5
# Nodes whose last line is remembered; names beyond are forged.
_MOST = 100


class Screen(Protocol):
    """Whatever shows events."""

    def show(self, tag: str, payload: Mapping[str, Any]) -> None:
        """Show one event of a run."""

    def close(self) -> None:
        """Leave the screen as a shell expects it."""


def for_this_terminal(look: Look) -> Screen:
    """The screen that suits standard error."""
    return Drawn(Console(stderr=True), look) if sys.stderr.isatty() else Lines()


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
    """The tree of a run, which stays in place and moves at least once a second.

    look
        The run as it stands, out of how far its nodes have come; None before it is known.
    """

    def __init__(self, console: Console, look: Look) -> None:
        self._look, self._console = look, console
        self._progress, self._height = Progress(), console.height - 1
        self._live = Live(
            console=console,
            get_renderable=self._drawn,
            refresh_per_second=_REFRESHES,
        )
        self._live.start()

    def show(self, tag: str, payload: Mapping[str, Any]) -> None:
        self._progress.heard(tag, payload)

    def close(self) -> None:
        # What is left on the screen leaves room for the summary that follows.
        self._height = _LAST_LINES
        self._live.stop()

    def _drawn(self) -> Text:
        try:
            tree = self._look(self._progress.moving())
        except ReleaseError as error:
            return Text(f"It is not known how far the run is: {printable(error)}")
        if tree is None:
            return Text("The run begins.")
        drawn = lines.of(tree, self._console.width, self._height)
        return Text("\n").join(Text(text, _STYLES.get(state, "")) for state, text in drawn)


def line(step: str, phase: str, payload: Mapping[str, Any]) -> str:
    """An event in one line."""
    if phase == events.PROGRESS:
        return f"{step}: {printable(payload.get('node', ''))} {_progress(payload)}"
    if phase in (events.FAILED, events.WAITING):
        return f"{step}: {phase}: {printable(payload.get('error', ''))}"
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
