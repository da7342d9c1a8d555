"""The master's event bus, from the process of ``salt-run``."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import salt.utils.event
from salt.exceptions import SaltClientError, SaltReqTimeoutError

# What salt-run sees of a master that went away (a closed stream is an OSError).
LOST = (OSError, SaltClientError, SaltReqTimeoutError)


class Bus:
    """Fires our events and follows them."""

    def __init__(self, opts: Mapping[str, Any]) -> None:
        self._opts = dict(opts)

    def fire(self, payload: dict[str, Any], tag: str) -> None:
        """Put an event on the bus. What nobody hears is no failure: the ledger has it all, and
        a master that went away is noticed by the next call to a node."""
        with (
            contextlib.suppress(*LOST),
            salt.utils.event.get_master_event(
                self._opts, self._opts["sock_dir"], listen=False
            ) as bus,
        ):
            bus.fire_event(payload, tag)

    def master(self) -> tuple[int, int]:
        """What is another once the master was started anew: its socket for events."""
        try:
            about = os.stat(os.path.join(self._opts["sock_dir"], "master_event_pub.ipc"))
        except FileNotFoundError:
            return (0, 0)
        return (about.st_ino, about.st_mtime_ns)

    def follow(
        self, prefix: str, listening: Callable[[], object] = bool
    ) -> Iterator[tuple[str, dict[str, Any]] | None]:
        """Events whose tags begin with ``prefix``, as ``(tag, payload)``; None each second
        without one, so that the reader can look at other things. ``listening`` is called
        once events can no longer be missed."""
        with salt.utils.event.get_event(
            "master", sock_dir=self._opts["sock_dir"], opts=self._opts, listen=True
        ) as bus:
            listening()
            while True:
                event = bus.get_event(wait=1, tag=prefix, full=True, auto_reconnect=True)
                yield (event["tag"], _payload(event["data"])) if event else None


def _payload(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a minion sends arrives one level deeper than what the master fires."""
    inner = data.get("data")
    return dict(inner) if isinstance(inner, Mapping) and "id" in data else dict(data)
