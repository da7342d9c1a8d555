"""Faults that the simulation has to find: each takes away one thing that keeps a site whole."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from unittest import mock

import simulated_nodes
from wbcore.disk import retention
from wbcore.model import desired
from wbmaster.golive import pool, seamless
from wbmaster.ledger import Ledger
from wbmaster.lock import RunLock
from wbmaster.unattended import supervisor

_of_node = desired.of_node


Plant = Callable[[], AbstractContextManager[object]]


def _nothing(place: Any, name: str, value: Any = None) -> Plant:
    """Have a function do nothing but return a value."""
    return lambda: mock.patch.object(place, name, lambda *args, **kwargs: value)


def _always_enforces(*args: Any) -> dict[str, Any]:
    return {**_of_node(*args), "going_live": False}


FAULTS: dict[str, Plant] = {
    "the begin of a change-over is not recorded": _nothing(Ledger, "begin_switch"),
    "the canary is skipped, and visitors get it": _nothing(seamless, "canary", {}),
    "late orders are obeyed": _nothing(simulated_nodes, "check_order"),
    "a pool is not drained": _nothing(pool, "drain"),
    "the end of a run is not recorded": _nothing(Ledger, "end_run"),
    "the lock is everybody's": _nothing(RunLock, "take", True),
    "the lease of the page has no end": lambda: mock.patch.object(
        simulated_nodes, "to_keep", lambda answers, lease: list(answers)
    ),
    "states are enforced in the middle of a change-over": lambda: mock.patch.object(
        desired, "of_node", _always_enforces
    ),
    "nodes that are away stay in the pool": lambda: mock.patch.object(
        seamless, "_staying", lambda run, first: pool.serving(run)
    ),
    "the supervisor sleeps": _nothing(supervisor, "take_up", ""),
    "what can be gone back to is purged": _nothing(retention, "ways_back", []),
}
