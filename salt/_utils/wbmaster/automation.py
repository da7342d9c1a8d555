"""Starting runs without a person: as processes of their own, that outlive who starts them."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from wbcore import events
from wbcore.errors import StepFailed
from wbcore.names import Build
from wbcore.requests import Request

from .fleet import reason
from .opening import Office


def landed(office: Office, text: str, cause: str) -> str:
    """Start the release of a build that has landed; the decision in one sentence."""
    build = Build.parse(text)
    live = office.ledger.known().live
    if live and build <= live.build:
        return f"{build} is not newer than the live {live}: nothing was started"
    if cause == events.LANDED and office.ledger.tried(build):
        # The beacon tells of a build until it is live; after a way back, or a failure at
        # which somebody has to look, only a person starts it again.
        return f"{build} was tried before (salt-run wb_release.history): nothing was started"
    holder = office.lock.holder() if not office.lock.free() else {}
    if holder:
        return f"{holder['request']} is at work: nothing was started"
    staging = office.settings.staging
    answer = office.fleet.ask([staging], "wb_build.builds")[staging]
    if not answer.good:
        raise StepFailed(
            f"it can not be asked for {build}: {reason(answer)}",
            "the beacon announces the build again",
            node=staging,
        )
    if not answer.value.get(str(build), {}).get("ready"):
        return f"{staging} does not show {build} with READY: nothing was started"
    _start(office, Request("release", build), cause)
    return f"the release of {build} was started"


def take_up(office: Office) -> str:
    """Start again the newest run that never ended and whose lock is free."""
    dead = office.ledger.unfinished()
    if dead is None or not office.lock.free():
        return "nothing to take up"
    request = Request.parse(dead["kind"], dead["request"])
    _start(office, request, "supervisor")
    return f"{dead['id']} was taken up"


def _start(office: Office, request: Request, cause: str) -> None:
    log = office.layout.state / "runs.log"
    with open(log, "ab") as output:
        subprocess.Popen(
            _command(office, request),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "WORMBASE_CAUSE": cause},
            start_new_session=True,
        )


def _command(office: Office, request: Request) -> list[Any]:
    words = ", ".join(f"{key}: {value}" for key, value in request.pillar.items())
    return [
        "salt-run",
        "-c",
        os.path.dirname(office.opts["conf_file"]),
        "state.orch",
        f"orch.{request.kind}",
        f"pillar={{{words}}}",
    ]
