"""Runs that a person asks for without a terminal that would wait for them."""

from __future__ import annotations

from wbcore import requests
from wbcore.errors import Busy
from wbcore.requests import Request

from ..office import Office
from . import launcher


def start(office: Office, request: Request, reason: str) -> str:
    """Start the run of a request as a service of its own; Busy while another run goes on,
    BadRequest without a reason, and whatever the plan refuses."""
    why = requests.reason(reason)
    if not office.lock.free():
        holder = office.lock.holder()
        raise Busy(
            f"{holder.get('request') or 'a run'} is running",
            "wait until it has ended; salt-run wb_release.watch shows it",
        )
    office.plan(request)
    launcher.start(office, request, "board", why)
    return f"{request} was started; salt-run wb_release.watch shows it"
