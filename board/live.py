"""The run at work, as the bus and the ledger tell it, for every page that is open."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from wbcore import events
from wbmaster.nodes.bus import LOST, Bus
from wbmaster.reporting.tree import Progress

log = logging.getLogger(__name__)
# A page is drawn again no more often; between events it shows seconds that pass.
PAUSE_SECONDS = 0.25
_TICK_SECONDS = 2.0


class Live:
    """Follows the bus, and wakes whoever waits for a change.

    progress
        How far nodes are with the steps at work.
    connected
        Whether the master's bus is there.
    """

    def __init__(self, bus: Bus, sock_dir: str) -> None:
        self.progress = Progress()
        self.connected = False
        self._bus, self._socket = bus, os.path.join(sock_dir, "master_event_pub.ipc")
        self._changed = threading.Condition()
        self._version = 0
        self._ending = False

    def start(self) -> None:
        """Follow the bus from now on."""
        threading.Thread(target=self._follow, name="bus", daemon=True).start()

    def stop(self) -> None:
        """Let every page go that follows."""
        self._ending = True
        self._wake()

    def changes(self, seconds: float) -> Iterator[None]:
        """Yields at once, and then at every change and every two seconds, for so long."""
        until, seen = time.monotonic() + seconds, -1
        while time.monotonic() < until and not self._ending:
            with self._changed:
                if self._version == seen:
                    self._changed.wait(_TICK_SECONDS)
                seen = self._version
            yield
            time.sleep(PAUSE_SECONDS)

    def _follow(self) -> None:
        while not self._ending:
            try:
                self._until_lost()
            except LOST:
                pass
            except Exception:
                log.exception("the bus can not be followed")
            self._set_connected(False)
            time.sleep(1)

    def _until_lost(self) -> None:
        if not self._answers():
            return
        master = self._bus.master()
        for event in self._bus.follow(events.PREFIX, lambda: self._set_connected(True)):
            if event:
                self.heard(*event)
            elif self._bus.master() != master or not self._answers():
                return
            if self._ending:
                return

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(self._socket)
        except OSError:
            return False
        return True

    def heard(self, tag: str, payload: dict[str, Any]) -> None:
        """Take in an event; whoever waits is woken."""
        self.progress.heard(tag, payload)
        self._wake()

    def _set_connected(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._version += 1
            self._changed.notify_all()
