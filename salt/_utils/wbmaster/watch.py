"""Seeing a run go, from its own process or from another."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from wbcore import events

from . import screen

if TYPE_CHECKING:
    from .opening import Office
    from .run import Run


def show_in_this_terminal(office: Office, begun: Run) -> None:
    """Follow the run from a thread of its own process, for whoever gave the command."""
    ready = threading.Event()
    thread = threading.Thread(target=_follow, args=(office, ready), name="progress", daemon=True)
    thread.start()
    begun.notes["follower"] = thread
    # An event fired before the follower listens would be lost.
    ready.wait(2)


def until_ended(office: Office, run_id: str) -> None:
    """Follow another process's run until its lock is free."""
    shown = screen.for_this_terminal()
    try:
        for event in office.bus.follow(events.PREFIX):
            if event:
                shown.show(*event)
            if office.lock.free() or office.lock.holder().get("run") != run_id:
                return
    finally:
        shown.close()


def _follow(office: Office, ready: threading.Event) -> None:
    shown = screen.for_this_terminal()
    try:
        for event in office.bus.follow(events.PREFIX, ready.set):
            if event:
                shown.show(*event)
                parsed = events.parse_tag(event[0])
                if parsed and parsed[1] == "run":
                    return
    finally:
        shown.close()
