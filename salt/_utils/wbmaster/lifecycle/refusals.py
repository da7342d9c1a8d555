"""Runs that nobody started by hand and that were refused: nobody sees what they printed."""

from __future__ import annotations

import json
import os
from typing import Any

from wbcore.errors import Away, ReleaseError
from wbcore.requests import Request

from .. import run
from ..office import Office
from ..reporting import notices
from . import waiting

# A run that died with the master is refused while the nodes come back, so not the first
# refusal counts.
MOST = 3


def record(office: Office, request: Request, identity: str, error: ReleaseError) -> None:
    """Record that a request was refused which no person gave: it is not tried for ever, but for
    one that a machine has to come back for."""
    if run.cause() == "supervisor":
        _not_taken_up(office, request, error)
    elif run.cause() != "command":
        figures: dict[str, Any] = {"told": {"refused": notices.refused(office, request, error)}}
        office.ledger.begin_run(
            {
                "id": identity,
                "kind": request.kind,
                "request": json.dumps(request.pillar),
                "build": str(request.build or ""),
                "cause": run.cause(),
                "who": run.who(),
                "reason": run.reason(),
                "pid": os.getpid(),
                "figures": json.dumps(figures),
            }
        )
        if isinstance(error, Away):
            waiting.begin(office.ledger, identity, error, figures)
        else:
            office.ledger.end_run(identity, "failed", str(error))


def _not_taken_up(office: Office, request: Request, error: ReleaseError) -> None:
    dead = office.ledger.unfinished()
    if dead is not None and isinstance(error, Away):
        waiting.begin(office.ledger, dead["id"], error, dead["figures"])
    else:
        _given_up(office, request, error)


def _given_up(office: Office, request: Request, error: ReleaseError) -> None:
    dead = office.ledger.unfinished()
    if dead is None:
        return
    figures = {**dead["figures"], "refused": dead["figures"].get("refused", 0) + 1}
    if figures["refused"] >= MOST:
        office.ledger.end_run(dead["id"], "failed", f"it could not be taken up: {error}")
        figures["told"] = {"refused": notices.refused(office, request, error)}
    office.ledger.describe_run(dead["id"], figures=figures)
