"""Going on without a person: runs that died are taken up, change-overs left open are undone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from wbcore import requests
from wbcore.events import WAITING
from wbcore.requests import Request

from ..lifecycle import waiting
from ..office import Office
from ..reporting import notices
from . import launcher

# What failed is tried again, after longer and longer pauses.
_PAUSE_SECONDS = 15
_LONGEST_SECONDS = 90
# A restart of the master can take a try or two with it.
_TELL_AT = 4
# A change-over whose run has ended is left to people for so long before it is undone.
_LEFT_SECONDS = 120


def take_up(office: Office) -> str:
    """Start again the newest run that never ended and whose lock is free, or undo a change-over
    that a run has left open for good; '' for neither."""
    if not office.lock.free():
        return ""
    dead = office.ledger.unfinished()
    if dead is not None and dead["outcome"] not in (None, WAITING):
        # It was killed when nothing was left to do but to end.
        office.ledger.end_run(dead["id"], dead["outcome"], dead["error"])
        return f"{dead['id']} was ended"
    if dead is not None and waiting.goes_on_waiting(office, dead):
        return ""
    if dead is not None:
        return _again(office, dead, request_of(dead), f"{dead['id']} was taken up")
    if _is_left_open(office):
        newest = office.ledger.runs(1)[0]
        said = "a change-over that nobody ended is undone"
        return _again(office, newest, Request(requests.ROLLBACK), said)
    return ""


def _again(office: Office, run: Mapping[str, Any], request: Request, said: str) -> str:
    """Start what has to follow a run, later each time, and notify people when it does not help;
    '' while it is not time yet."""
    tries = {"times": 0, "last": 0.0, **run["figures"].get("tries", {})}
    if _since(tries["last"]) < min(_LONGEST_SECONDS, _PAUSE_SECONDS * 2 ** tries["times"]):
        return ""
    tries = {**tries, "times": tries["times"] + 1, "last": time.time()}
    if tries["times"] == _TELL_AT:
        tries["told"] = notices.in_vain(office, request, tries["times"])
    # Counted before: what can not even be started is not tried without a pause either.
    office.ledger.describe_run(run["id"], figures={**run["figures"], "tries": tries})
    launcher.start(office, request, "supervisor")
    return said


def _is_left_open(office: Office) -> bool:
    """Whether there is a change-over, of a run that could not put the site back, or that was
    given up: until it is undone, nothing enforces links and pools."""
    switch, newest = office.ledger.known().switch, office.ledger.runs(1)
    if switch is None or switch.before is None or not newest:
        return False
    return _since(newest[0]["ended"] or 0.0) > _LEFT_SECONDS


def _since(then: float) -> float:
    """Seconds since a time; since a time that is still to come, as after a clock was set back, it
    counts as long ago."""
    return abs(time.time() - then)


def request_of(recorded: Mapping[str, Any]) -> Request:
    """The request of a run as the ledger has it."""
    return Request.parse(recorded["kind"], recorded["request"])
