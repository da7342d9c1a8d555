"""Starting runs as services of their own, that outlive who starts them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from typing import Any

from wbcore.errors import StepFailed
from wbcore.requests import Request

from .. import run
from ..golive import epochs
from ..housekeeping import shorten
from ..office import Office

_SECONDS = 10
_STARTED = b"started"


def start(office: Office, request: Request, cause: str, why: str = "") -> None:
    """Start the run of a request, as a service of its own; BadData when the ledger is an old
    copy, which starts nothing.

    why
        The reason that a person gave.
    """
    epochs.check(office.fleet, office.settings, office.ledger)
    given = {run.CAUSE: cause, run.WHO: run.who(), run.REASON: why}
    _spawn(office, request, given)


def _spawn(office: Office, request: Request, environment: dict[str, str]) -> None:
    """Ask systemd for the run: a child of the master would end with it, and with its service.

    ``bin/start-run`` is at the other end of the socket.
    """
    log = office.layout.runs_log
    log.parent.mkdir(parents=True, exist_ok=True)
    shorten(log)
    asked = {"command": _command(office, request), "environment": environment, "log": str(log)}
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_SECONDS)
            connection.connect(str(office.layout.run_socket))
            connection.sendall(json.dumps(asked).encode() + b"\n")
            if connection.recv(len(_STARTED)) != _STARTED:
                raise ConnectionError("nobody answered")
    except OSError as error:
        raise StepFailed(
            f"{request} could not be started: {error}",
            "run systemctl status wormbase-run.socket on the master; it is tried again",
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
