"""Telling people that a run began, ended or failed: by mail, and by a webhook of their chat.

Whatever goes wrong here is recorded with the run and stops nothing.
"""

from __future__ import annotations

import http.client
import json
import logging
import urllib.error
import urllib.parse
import urllib.request

from wbcore.errors import Away, ReleaseError
from wbcore.requests import Request
from wbcore.settings import Settings

from ..nodes.bus import LOST
from ..nodes.fleet import Fleet, reason
from ..office import Office
from ..run import Run, cause, who
from . import describe

log = logging.getLogger(__name__)
_SECONDS = 5
SENT = "sent"


def begun(run: Run) -> None:
    """Tell that a run has begun, and what it is going to do."""
    by = f"Started by {who()} ({cause()}); salt-run wb_release.watch shows it."
    _record(run, "begun", f"{run.request} has begun", f"{describe.plan(run)}\n{by}")


def ended(run: Run) -> None:
    """Tell how a run ended."""
    if isinstance(run.error, Away):
        _record(run, "ended", f"{run.request} waits", str(run.error))
    elif run.error:
        _record(run, "ended", f"{run.request} failed in {run.failed_step}", str(run.error))
    else:
        _record(run, "ended", f"{run.request} is done", describe.summary(run))
    if run.settings.landing.notify.mail or run.settings.landing.notify.webhook:
        run.ledger.describe_run(run.id, figures=run.notes.figures)


def refused(office: Office, request: Request, error: ReleaseError) -> dict[str, str]:
    """Tell that a run which nobody started by hand was refused; how each way went."""
    text = f"Started by nobody ({cause()}).\n{error}"
    return _send(office.settings, office.fleet, f"{request} was refused", text)


def in_vain(office: Office, request: Request, times: int) -> dict[str, str]:
    """Tell that the supervisor starts the same thing over and over; how each way went."""
    subject = f"{request} is not done, after {times} tries of the supervisor"
    text = (
        f"It is tried again until it is. {office.layout.runs_log} on the master has what it said; "
        "salt-run wb_release.history and wb_release.status show where it stands."
    )
    return _send(office.settings, office.fleet, subject, text)


def _record(run: Run, when: str, subject: str, text: str) -> None:
    board = run.settings.landing.notify.board.rstrip("/")
    where = f"{board}/runs?name={urllib.parse.quote(run.id)}" if board else run.id
    how = _send(run.settings, run.fleet, subject, f"{text}\n{where}")
    if how:
        told = run.notes.figures.setdefault("told", {})
        told[when] = how


def _send(settings: Settings, fleet: Fleet, subject: str, text: str) -> dict[str, str]:
    notify = settings.landing.notify
    how = {}
    if notify.mail:
        how["mail"] = _mail(settings, fleet, subject, text)
    if notify.webhook:
        how["webhook"] = _post(notify.webhook, f"{subject}\n{text}")
    for way, went in how.items():
        if went != SENT:
            log.warning("people were not notified by %s: %s", way, went)
    return how


def _mail(settings: Settings, fleet: Fleet, subject: str, text: str) -> str:
    """The development server sends it: it has the mail server's name and password."""
    words = {"recipients": list(settings.landing.notify.mail), "subject": subject, "text": text}
    try:
        told = fleet.ask([settings.staging], "wb_announce.tell", **words)[settings.staging]
    except (ReleaseError, *LOST) as error:
        return str(error)
    if not told.good:
        return f"{settings.staging}: {reason(told)}"
    return f"refused: {', '.join(told.value['refused'])}" if told.value["refused"] else SENT


def _post(address: str, text: str) -> str:
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(
        address, data=body, headers={"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):
            return SENT
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"it does not answer: {getattr(error, 'reason', error)}"
