"""Beginning a run: validate, take the lock or join who has it, look, decide."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from wbcore import requests
from wbcore.errors import Busy, ReleaseError, StepFailed
from wbcore.planning.plan import Plan
from wbcore.requests import Request

from .. import run
from ..golive import ways
from ..office import Office
from ..reporting import describe, notices, watch
from . import refusals
from .forecast import forecast

# A node's restart, for which a run waits, takes some seconds.
_RESTART_SECONDS = 60.0
_PAUSE_SECONDS = 0.5


def given(pillar: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What the command line added to the pillar or changed in it."""
    return {
        key: value
        for key, value in pillar.items()
        if not str(key).startswith("_") and (key not in own or own[key] != value)
    }


def begin(office: Office, request: Request) -> str:
    """Begin the run of a request, and say how: it becomes this process's run, or nothing is
    left to do, or the same request was joined and has ended well.

    Busy when another request's run is running; StepFailed when the joined run failed. What is no
    run, such as the restart of a node's servers, is waited for.
    """
    identity, until = run.new_id(request, time.time()), time.monotonic() + _RESTART_SECONDS
    while not office.lock.take(dict(run.describe(request, identity))):
        joined = _join(office, request, until)
        if joined:
            return joined
    begun = None
    try:
        begun = _plan(office, request, identity)
        _recover(office, begun)
        if begun.plan.idle:
            # Whatever died has nothing left to do that this request would not have done.
            office.ledger.bury_the_dead(begun.id)
            return describe.idle(begun)
        _record(office, begun)
    finally:
        if begun is None or run.current() is not begun:
            office.lock.release()
    return describe.plan(begun)


def _plan(office: Office, request: Request, identity: str) -> run.Run:
    try:
        begun = office.plan(request)
    except ReleaseError as error:
        refusals.record(office, request, identity, error)
        raise
    begun.id = identity
    return begun


def _record(office: Office, begun: run.Run) -> None:
    plan = begun.plan
    begun.notes.master = office.bus.master()
    office.ledger.bury_the_dead(begun.id)
    office.ledger.begin_run(
        {
            "id": begun.id,
            "kind": begun.request.kind,
            "request": json.dumps(begun.request.pillar),
            "build": begun.build if begun.build != "none" else "",
            "release": str(plan.release or ""),
            "cause": run.cause(),
            "who": run.who(),
            "reason": run.reason(),
            "pid": os.getpid(),
            "forecast": json.dumps(forecast(begun)),
        }
    )
    watch.show_in_this_terminal(office, begun)
    run.set_current(begun)
    notices.begun(begun)


def _recover(office: Office, begun: run.Run) -> None:
    """A change-over that somebody left half done is undone, unless this run goes on with it
    or goes live with what was live before."""
    switching = begun.known.switch
    if switching is None or begun.plan.release == switching.after:
        return
    if begun.plan.release != switching.before or begun.request.kind == requests.ANNOUNCE:
        ways.put_back(begun)
    elif not begun.plan.needs_golive:
        # It died before the first node was switched.
        office.ledger.undo_switch()
    begun.known = office.ledger.known()


def _join(office: Office, request: Request, until: float) -> str:
    holder = office.lock.holder()
    if not holder:
        time.sleep(0.05)
        return ""
    if "kind" not in holder and time.monotonic() < until:
        time.sleep(_PAUSE_SECONDS)
        return ""
    if (holder.get("kind"), holder.get("pillar")) != (request.kind, request.pillar):
        raise Busy(
            f"{holder['request']} has been running since {holder['since']} "
            f"(started by {holder['who']}, {holder['cause']}, pid {holder['pid']})",
            "wait until it has ended; salt-run wb_release.watch shows it",
        )
    watch.until_ended(office, str(holder["run"]))
    ended = office.ledger.run(str(holder["run"]))
    if ended is None or ended["outcome"] == "died" or ended["ended"] is None:
        # It was idle, or its process was killed: this process takes the request up.
        return ""
    if ended["outcome"] != "done":
        raise StepFailed(f"the run {ended['id']} that was joined failed", ended["error"])
    return f"joined the run {ended['id']}, which has done it"


def dry(office: Office, request: Request) -> Plan:
    """The plan of a request, for a dry run; the lock is looked at, not taken."""
    shown = office.plan(request)
    shown.dry = True
    run.set_current(shown)
    return shown.plan
