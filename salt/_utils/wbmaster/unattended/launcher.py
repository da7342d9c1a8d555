"""Starting runs as processes of their own, that outlive who starts them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import Any

from wbcore.errors import StepFailed
from wbcore.requests import Request

from ..golive import epochs
from ..housekeeping import shorten
from ..office import Office


def start(office: Office, request: Request, cause: str) -> None:
    """Start the run of a request, in a session of its own; BadData when the ledger is an old
    copy, which starts nothing."""
    epochs.check(office.fleet, office.settings, office.ledger)
    _spawn(office, request, cause)


def _spawn(office: Office, request: Request, cause: str) -> None:
    office.layout.runs_log.parent.mkdir(parents=True, exist_ok=True)
    shorten(office.layout.runs_log)
    try:
        with open(office.layout.runs_log, "ab") as output:
            subprocess.Popen(
                _command(office, request),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "WORMBASE_CAUSE": cause},
                start_new_session=True,
            )
    except OSError as error:
        raise StepFailed(
            f"{request} could not be started: {error}", "fix the master; it is tried again"
        ) from error


def _command(office: Office, request: Request) -> list[Any]:
    words = ", ".join(f"{key}: {value}" for key, value in request.pillar.items())
    return [
        _salt_run(),
        "-c",
        os.path.dirname(office.opts["conf_file"]),
        "state.orch",
        f"orch.{request.kind}",
        f"pillar={{{words}}}",
    ]


def _salt_run() -> str:
    """``salt-run`` of the Salt that this process runs in, which need not be on the PATH."""
    beside = os.path.dirname(sys.executable)
    return shutil.which("salt-run", path=beside) or "salt-run"
