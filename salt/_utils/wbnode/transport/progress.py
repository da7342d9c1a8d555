"""Tells the master how far a long function on this node has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from wbcore import events
from wbcore.names import Build, Release
from wbcore.transport.meter import Meter


def meter(
    send: Callable[..., Any], opts: Mapping[str, Any], name: Build | Release, step: str, total: int
) -> Meter:
    """A meter whose figures become progress events; ``send`` is ``event.send``.

    Under ``salt-call`` nothing is sent: there is no minion to hand an event to, and each
    would be a whole conversation with the master.
    """
    build = name if isinstance(name, Build) else name.build
    tag = events.progress_tag(build, step)

    def tell(what: str, done: int, total: int, rate: float) -> None:
        if opts.get("__cli") == "salt-call":
            return
        send(tag, events.progress(build, step, opts["id"], what, done, total, round(rate)))

    return Meter(total, tell, time.monotonic)
