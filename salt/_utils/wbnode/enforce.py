"""Enforcing the states of a node: when it has to wait, and what it came to."""

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
from wbcore import drift
from wbcore.drift import Report
from wbcore.enforcement import schedule
from wbcore.layout import Layout
from wbcore.settings import Enforce, Settings

import wbnode.files
import wbnode.minion


def put_off(layout: Layout, wanted: Mapping[str, Any], states: Sequence[str]) -> str:
    """Why the states are not enforced now; empty when they are.

    wanted
        The pillar root ``wormbase``, fresh from the master.
    states
        What ``state.running`` says.
    """
    locks = {
        layout.switch_lock: "its links are being switched",
        layout.pull_lock: "it is fetching data",
        layout.webapp_lock: "a webapp is being tried",
        layout.enforce_lock: "its states are being enforced already",
    }
    if not layout.state.is_dir():
        return "it was never brought to its state: state.apply does that the first time"
    if layout.adopting.exists():
        return "it is being taken over: orch.adopt brings it to its state"
    settings = Settings.parse(wanted)
    if not settings.enforce.minutes:
        return "the pillar has it switched off (wormbase:enforce:minutes)"
    if (wanted.get("live") or {}).get("going_live"):
        return "a go-live is running"
    if states:
        return "states are being applied"
    return next((why for lock, why in locks.items() if wbnode.minion.held(lock)), "")


def is_due(layout: Layout, enforce: Enforce, node: str, minion: int | None) -> bool:
    """Whether it is time to enforce the states of this node; ``minion`` is its process."""
    try:
        last = layout.enforce_lock.stat().st_mtime
    except FileNotFoundError:
        last = 0.0
    started = psutil.Process(minion).create_time()
    return schedule.is_due(enforce, node, last, started, time.time())


def stay_due(layout: Layout) -> None:
    """It is time again at the next look of the schedule."""
    os.utime(layout.enforce_lock, (0, 0))


def digest(wanted: Mapping[str, Any], cache: str) -> str:
    """What has to be on the node: its pillar, and the states as they came from the master.

    cache
        Salt's directory of what the minion fetched.
    """
    # The epoch passes without anything else that has to be on the node being another.
    live = {key: value for key, value in (wanted.get("live") or {}).items() if key != "epoch"}
    plain = {**wanted, "live": live}
    whole = hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode())
    files = Path(cache) / "files"
    for path in sorted(path for path in files.rglob("*") if path.is_file()):
        whole.update(f"{path}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def reports(layout: Layout, node: str, wanted: str, returned: object) -> list[Report]:
    """What an application of states came to, none when all was as it should be.

    wanted
        The :func:`digest` of what has to be: if it was another one the last time, what was
        changed is no drift.
    """
    found = drift.of_states(node, returned, first=wanted != _last(layout))
    if not any(report.kind == drift.FAILED for report in found):
        wbnode.files.write_whole(layout.enforced, json.dumps({"wanted": wanted}).encode())
    return found


def _last(layout: Layout) -> str:
    with contextlib.suppress(OSError, ValueError):
        return str(json.loads(layout.enforced.read_bytes())["wanted"])
    return ""
