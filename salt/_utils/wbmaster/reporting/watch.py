"""Seeing a run go, from its own process or from another."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from wbcore import events
from wbcore.printable import Moving

from ..office import Office
from ..run import Run
from . import screen, tree

log = logging.getLogger(__name__)


def show_in_this_terminal(office: Office, begun: Run) -> None:
    """Follow the run from a thread of its own process, for whoever gave the command."""
    ready = threading.Event()
    thread = threading.Thread(
        target=_follow, args=(office, begun.id, ready), name="progress", daemon=True
    )
    thread.start()
    begun.notes.follower = thread
    # An event fired before the follower listens would be lost.
    ready.wait(2)


def until_ended(office: Office, run_id: str) -> None:
    """Follow another process's run until its lock is free."""
    shown = screen.for_this_terminal(_look(office, run_id))
    try:
        for event in office.bus.follow(events.PREFIX):
            _show(shown, event)
            if office.lock.free() or office.lock.holder().get("run") != run_id:
                return
    finally:
        shown.close()


def _follow(office: Office, run_id: str, ready: threading.Event) -> None:
    shown = screen.for_this_terminal(_look(office, run_id))
    try:
        for event in office.bus.follow(events.PREFIX, ready.set):
            _show(shown, event)
            if event and _ends(*event, run_id):
                return
    finally:
        shown.close()


def _look(office: Office, run_id: str) -> screen.Look:
    def look(moving: Sequence[tuple[str, Moving]]) -> tree.Tree | None:
        row = office.ledger.run(run_id)
        return tree.of(office.ledger, row, time.time(), moving) if row else None

    return look


def _show(shown: screen.Screen, event: tuple[str, Mapping[str, Any]] | None) -> None:
    """What can not be shown is logged: a screen must not fail a run."""
    try:
        if event:
            shown.show(*event)
    except Exception:
        log.exception("an event could not be shown: %r", event)


def _ends(tag: str, payload: Mapping[str, Any], run_id: str) -> bool:
    """Whether an event is the last of a run."""
    build, step, phase = events.parse_tag(tag) or ("", "", "")
    ended = step == "run" and phase in (events.DONE, events.FAILED, events.WAITING)
    return bool(build) and ended and payload.get("run") == run_id
