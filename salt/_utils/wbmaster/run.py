"""The run of this process: one request, from its first step to its end.

An orchestration is a row of states in one process, so the run that the first of them
begins is found by the others here.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wbcore import events
from wbcore.errors import ReleaseError
from wbcore.layout import Layout
from wbcore.model.ledger_facts import Known
from wbcore.model.observations import Seen
from wbcore.planning.plan import Plan
from wbcore.requests import Request
from wbcore.settings import Settings

from .ledger import Ledger
from .lock import RunLock
from .nodes.bus import Bus
from .nodes.fleet import Fleet

# How a detached run is told what started it: `bin/start-run` sets them.
CAUSE, WHO, REASON = "WORMBASE_CAUSE", "WORMBASE_WHO", "WORMBASE_REASON"


@dataclass
class Notes:
    """What one part of a run leaves for a later one.

    follower, master
        Set when the run begins: the thread that shows progress, and which master it saw.
    sealed_digest
        Digest of the build's manifest (``seal``).
    sealed
        What was sealed as it lies, by the name of its manifest (``seal_live``).
    parcels
        The parcels that the development server has for the build (``make_parcels``).
    removed
        Node → dataset → bytes that it gave back (``check_disk_space`` and both purges).
    proxy
        What the proxy last answered, with the pools as they were set since.
    first, moved
        The web nodes that switch first, and whether visitors get them already
        (``take_out_of_service``).
    page_since
        When the maintenance page went up, seconds since 1970; None without one.
    not_switched
        Node → why it could not follow (``return_to_service``).
    figures
        Step → what it measured; ``told`` is which notices were sent.
    """

    follower: threading.Thread | None = None
    master: Any = None
    sealed_digest: str = ""
    sealed: dict[str, dict[str, Any]] = field(default_factory=dict)
    parcels: Any = field(default_factory=dict)
    removed: dict[str, dict[str, int]] = field(default_factory=dict)
    proxy: dict[str, Any] | None = None
    first: list[str] = field(default_factory=list)
    moved: bool = False
    page_since: float | None = None
    not_switched: dict[str, str] = field(default_factory=dict)
    figures: dict[str, dict[str, Any]] = field(default_factory=dict)

    def measured(self, step: str, **figures: Any) -> None:
        """Add figures of a step."""
        self.figures.setdefault(step, {}).update(figures)


@dataclass
class Run:
    """What the steps of a run share; ``error`` is what stopped it."""

    id: str
    request: Request
    settings: Settings
    layout: Layout
    ledger: Ledger
    lock: RunLock
    fleet: Fleet
    bus: Bus
    known: Known
    seen: Seen
    plan: Plan
    dry: bool = False
    error: ReleaseError | None = None
    failed_step: str = ""
    notes: Notes = field(default_factory=Notes)

    @property
    def build(self) -> str:
        """The build of the run, as events name it."""
        if self.plan.release:
            return str(self.plan.release.build)
        return str(self.request.build or "none")

    @property
    def there(self) -> list[str]:
        """Every node that answers, as far as the run knows."""
        gone = {*self.seen.absent, *self.plan.absent}
        return [node for node in self.settings.nodes if node not in gone]

    @property
    def left_out(self) -> list[str]:
        """Nodes that took no part, or could not follow."""
        return list(dict.fromkeys([*self.plan.left_out, *self.notes.not_switched]))

    def tell(self, step: str, phase: str, **figures: Any) -> None:
        """Fire an event about a step."""
        payload = {"build": self.build, "step": step, "run": self.id, **figures}
        self.bus.fire(payload, events.release_tag(self.build, step, phase))


_process: dict[str, Run | None] = {}


def current() -> Run | None:
    """The run of this process, or None when its request was refused, joined or idle."""
    return _process.get("run")


def was_asked_for() -> bool:
    """Whether a run was asked for in this process, whatever became of it."""
    return "run" in _process


def set_current(run: Run | None) -> None:
    """Make ``run`` the run of this process; None for one that was asked for and is none yet,
    or no longer."""
    _process["run"] = run


def new_id(request: Request, now: float) -> str:
    """An id that sorts by time and says what it is: ``20261124T200235-release-WS221-4711``."""
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now))
    words = [stamp, request.kind, str(request.build or ""), str(os.getpid())]
    return "-".join(word for word in words if word)


def describe(request: Request, run_id: str) -> Mapping[str, Any]:
    """What the holder of the lock says of itself."""
    asked = {"request": str(request), "kind": request.kind, "pillar": request.pillar}
    return {"run": run_id, **asked, **holder()}


def holder() -> dict[str, Any]:
    """Who holds a lock, and since when."""
    return {
        "pid": os.getpid(),
        "who": who(),
        "cause": cause(),
        "since": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
    }


def who() -> str:
    """The person who asked, as far as the process knows: whom Salt's ``external_auth`` let in, or
    who is at the keyboard."""
    asked = os.environ.get(WHO)
    return asked or os.environ.get("SUDO_USER") or os.environ.get("USER") or "root"


def reason() -> str:
    """Why the person wants the run, where they had to say so."""
    return os.environ.get(REASON, "")


CAUSES = ("command", "board", "landed", "event", "supervisor")


def cause() -> str:
    """What started this process; a detached run gets it from its parent process."""
    given = os.environ.get(CAUSE, "command")
    return given if given in CAUSES else "command"
