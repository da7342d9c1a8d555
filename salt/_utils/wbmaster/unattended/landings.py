"""Landings: looked at on the development server, decided, recorded, acknowledged, answered."""

from __future__ import annotations

import datetime
import fcntl
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from wbcore import events
from wbcore.errors import StepFailed
from wbcore.events import Announcement
from wbcore.model import landing
from wbcore.model.landing import Landing
from wbcore.model.ledger_facts import Known
from wbcore.names import Build
from wbcore.planning import landing_policy
from wbcore.verdicts import BAD

from ..golive import downloads
from ..nodes.fleet import reason
from ..office import Office
from . import launcher, supervisor

POLL = "poll"
Key = tuple[Build, str]


def answer(office: Office, announcements: Sequence[Announcement]) -> dict[str, str]:
    """Answer what was announced by one look at the development server: build → answer.

    An event that does not come from the development server, and what that does not show with
    ``READY``, is answered on the bus and recorded nowhere.
    """
    heard, said = [], {}
    for one in announcements:
        if one.cause == events.COMMAND or one.sender == office.settings.staging:
            heard.append(one)
        else:
            said[str(one.build)] = _tell(office, one, "ignored", _not_heard(office, one))
    if heard:
        with _alone(office):
            said |= _answer(office, heard)
    return said


def poll(office: Office) -> dict[str, str]:
    """Find what beacon and event lost, and go on with what waits: landing → new answer."""
    with _alone(office):
        ready = _ready(office)
        recorded = {_key(one): one for one in office.ledger.landings()}
        newest = max(ready, default=None)
        found = [] if newest is None else [Landing(newest, cause=POLL, seen=time.time())]
        found += _minor(office)
        fresh = [one for one in found if _key(one) not in recorded]
        return _decided(office, [*fresh, *_open(recorded.values())], lambda: ready)


def attend(office: Office) -> dict[str, str]:
    """Go on with landings that wait or have a run: landing → new answer."""
    with _alone(office):
        waiting = _open(office.ledger.landings())
        return _decided(office, waiting, functools.cache(lambda: _ready(office)))


def shown(office: Office) -> list[dict[str, Any]]:
    """Every landing for people, the newest build first."""
    return [
        {
            "build": str(one.build),
            "revision": one.revision,
            "cause": one.cause,
            "seen": _when(one.seen),
            "acknowledged": _when(one.acknowledged),
            "state": one.state,
            "answer": one.answer,
        }
        for one in office.ledger.landings()
    ]


def _answer(office: Office, heard: Sequence[Announcement]) -> dict[str, str]:
    try:
        ready = _ready(office)
    except StepFailed as error:
        return {str(one.build): _tell(office, one, "unknown", str(error)) for one in heard}
    live = office.ledger.known().live
    recorded = {_key(one): one for one in office.ledger.landings()}
    rows: dict[Key, Landing] = {_key(one): one for one in _open(recorded.values())}
    for one in heard:
        if one.build in ready or (live and one.build <= live.build):
            rows[one.build, ""] = _announced(recorded.get((one.build, "")), one)
    _decided(office, list(rows.values()), lambda: ready)
    recorded = {_key(one): one for one in office.ledger.landings()}
    said = {}
    for one in heard:
        row = recorded.get((one.build, ""))
        state, why = (row.state, row.answer) if row else ("ignored", _not_ready(office, one.build))
        said[str(one.build)] = _tell(office, one, state, why)
    return said


def _announced(recorded: Landing | None, one: Announcement) -> Landing:
    """The row of an announcement: a person on the master has what was answered decided anew.

    Whoever sends an event only has not heard the answer yet: a minion can put any event on the
    bus in a batch, where Salt names no sender, so none of them has more said than the poll.
    """
    if recorded is None:
        return Landing(one.build, cause=one.cause, seen=time.time())
    again = replace(recorded, acknowledged=0.0)
    if recorded.state == landing.ANSWERED and one.cause == events.COMMAND:
        return replace(again, cause=one.cause, state=landing.NEW, started="", starts=0)
    return again


def _decided(
    office: Office, rows: Sequence[Landing], ready: Callable[[], set[Build]]
) -> dict[str, str]:
    """Decide about landings, the newest build first; those whose answer changed."""
    changed = {}
    newer, at_work = "", _at_work(office)
    for row in sorted(rows, key=_key, reverse=True):
        decided, started = _decide(office, row, newer, at_work, ready)
        at_work = at_work or started
        if decided is None:
            office.ledger.forget_landing(row)
            changed[str(row)] = _not_ready(office, row.build)
            continue
        if decided.state in landing.OPEN and not decided.revision:
            newer = newer or str(decided)
        if decided != row:
            office.ledger.record_landing(decided)
            changed[str(row)] = decided.answer
        if not decided.acknowledged:
            _acknowledge(office, decided, ready)
    if any(row.state == landing.NEW and not row.revision for row in rows):
        downloads.develop(office)
    return changed


def _decide(
    office: Office, row: Landing, newer: str, at_work: str, ready: Callable[[], set[Build]]
) -> tuple[Landing | None, str]:
    """A landing as it is decided now, None when it was taken back; and the request started."""
    row = _settled(office, row, bool(at_work))
    if row.state in (landing.STARTED, landing.ANSWERED):
        return row, ""
    now = datetime.datetime.now(datetime.UTC)
    facts = _facts(office, row, newer, at_work)
    decision = landing_policy.decide(row, office.settings.landing, facts, now)
    started = row.started or (landing_policy.RELEASE if decision.state == landing.STARTED else "")
    if decision.start:
        if not row.revision and row.build not in ready():
            return None, ""
        cause = events.LANDED if row.cause == POLL else row.cause
        launcher.start(office, decision.start, cause)
        started = decision.start.kind
    same = (decision.state, decision.answer) == (row.state, row.answer) and not decision.start
    decided = replace(
        row,
        state=decision.state,
        answer=decision.answer,
        started=started,
        starts=row.starts + bool(decision.start),
        decided=row.decided if same else now.timestamp(),
    )
    return decided, str(decision.start or "")


def _settled(office: Office, row: Landing, at_work: bool) -> Landing:
    run = office.ledger.run_of(row) if row.state == landing.STARTED else None
    ended = run is not None and run["ended"] is not None and run["ended"] >= row.decided
    outcome, error = (run["outcome"], run["error"]) if run is not None and ended else (None, "")
    return landing.settled(row, outcome, error, at_work, time.time())


def _facts(office: Office, row: Landing, newer: str, at_work: str) -> landing_policy.Facts:
    known = office.ledger.known()
    return landing_policy.Facts(
        live=known.live,
        bad=known.verdict(BAD, row.build),
        hold=known.hold(row.build),
        tried=_made(known, row) if row.revision else office.ledger.tried(row.build),
        left=not row.revision and office.ledger.left(row.build),
        at_work=at_work,
        newer=newer if not row.revision else "",
    )


def _made(known: Known, row: Landing) -> bool:
    return any(
        made.build == row.build and landing.revision_of(made) == row.revision
        for made in known.releases
    )


def _minor(office: Office) -> list[Landing]:
    """The new revision of the webapp that was committed while the build is live, if the
    policy lets it land and it can be released."""
    policy, live = office.settings.landing, office.ledger.known().live
    if not policy.minor or policy.start != landing_policy.RELEASE or live is None:
        return []
    if office.ledger.lives()[-1]["gone_back"] is not None:
        # What is in staging was made for the release that was left.
        return []
    staging = office.settings.staging
    told = office.fleet.ask([staging], "wb_webapp.staged")[staging]
    if not told.good or told.value["modified"] or told.value["revision"] != told.value["tip"]:
        return []
    if told.value["revision"] <= live.revision:
        return []
    revision = f"{told.value['webapp']}-{told.value['revision']}"
    return [Landing(live.build, revision, POLL, time.time())]


def _acknowledge(office: Office, row: Landing, ready: Callable[[], set[Build]]) -> None:
    """Tell the development server, whose beacon announces a build until it knows."""
    if row.revision or row.build not in ready():
        return
    staging = office.settings.staging
    answers = {str(row.build): row.answer}
    if office.fleet.ask([staging], "wb_build.acknowledge", answers=answers)[staging].good:
        office.ledger.record_landing(replace(row, acknowledged=time.time()))


def _ready(office: Office) -> set[Build]:
    """The builds that the development server shows with ``READY``."""
    staging = office.settings.staging
    told = office.fleet.ask([staging], "wb_build.builds")[staging]
    if not told.good:
        raise StepFailed(
            f"it can not be asked which builds are READY: {reason(told)}",
            "nothing was started; it is asked again",
            node=staging,
        )
    return {Build.parse(name) for name, facts in told.value.items() if facts.get("ready")}


def _at_work(office: Office) -> str:
    """The request of the run at work, or of one that died and that the supervisor takes up."""
    dead = office.ledger.unfinished()
    if not office.lock.free():
        return str(office.lock.holder().get("request") or "a run that begins")
    if dead is None:
        return ""
    return str(supervisor.request_of(dead))


def _not_ready(office: Office, build: Build) -> str:
    return f"{office.settings.staging} does not show {build} with READY: nothing was started"


def _not_heard(office: Office, one: Announcement) -> str:
    only = f"only {office.settings.staging} announces builds"
    if one.sender:
        return f"{only}: {one.sender} is not heard"
    todo = f"on the master run salt-run wb_auto.landed build={one.build}"
    return f"{only}: an event without a sender is not heard; {todo}"


def _tell(office: Office, one: Announcement, state: str, why: str) -> str:
    office.bus.fire(events.answered(one, state, why), events.BUILD_ANSWERED)
    return why


def _open(rows: Any) -> list[Landing]:
    return [row for row in rows if row.state in landing.OPEN]


def _key(row: Landing) -> Key:
    return row.build, row.revision


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds)) if seconds else ""


@contextmanager
def _alone(office: Office) -> Iterator[None]:
    """One decides at a time, in whatever process: an event, the poll, a person."""
    office.layout.state.mkdir(parents=True, exist_ok=True)
    with open(office.layout.landing_lock, "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
