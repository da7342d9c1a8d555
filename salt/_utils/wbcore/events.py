"""Every event tag of the project and what its payload holds."""

from __future__ import annotations

import re
from typing import Any

from .drift import Report
from .errors import BadRequest
from .names import Build
from .settings import NODE_ID

BUILD_READY = "wormbase/build/ready"
LANDED = "landed"
START, DONE, FAILED, PROGRESS = "start", "done", "failed", "progress"
PHASES = (START, DONE, FAILED, PROGRESS)
PREFIX = "wormbase/release/"
DRIFT = "wormbase/drift/"
JOINED = "wormbase/joined/"
_STEP = re.compile(r"[a-z][a-z_]{1,40}")


def release_tag(build: Build | str, step: str, phase: str) -> str:
    """Tag of an event about a step; ``build`` is ``none`` for a request without one."""
    if not _STEP.fullmatch(step) or phase not in PHASES:
        raise BadRequest(f"{step}/{phase} is not a step and a phase", "use those of wbcore.events")
    return f"{PREFIX}{build}/{step}/{phase}"


def progress_tag(build: Build | str, step: str) -> str:
    """Tag of a node's progress in a step; its payload is :func:`progress`."""
    return release_tag(build, step, PROGRESS)


def progress(
    build: Build | str, step: str, node: str, what: str, done: int, total: int, rate: float
) -> dict[str, Any]:
    """Payload of a progress event: bytes done and in all, bytes a second."""
    return {
        "build": str(build),
        "step": step,
        "node": node,
        "dataset": what,
        "done": done,
        "total": total,
        "rate": rate,
    }


def parse_tag(tag: str) -> tuple[str, str, str] | None:
    """``(build, step, phase)`` of one of our release tags, or None for any other tag."""
    parts = tag.removeprefix(PREFIX).split("/") if tag.startswith(PREFIX) else []
    if len(parts) != 3 or parts[2] not in PHASES or not _STEP.fullmatch(parts[1]):
        return None
    return parts[0], parts[1], parts[2]


def announced(payload: object) -> tuple[Build, str]:
    """The build that a ``wormbase/build/ready`` event speaks of, and whether it was the
    beacon (``landed``) or a person (``event``), for the history.

    An event only wakes the master: whoever sent it, the build is looked up on the
    development server afterwards. Salt wraps what a minion sends one level deeper.
    """
    data = payload.get("data", payload) if isinstance(payload, dict) else None
    fields = data if isinstance(data, dict) else {}
    cause = LANDED if fields.get("cause") == LANDED else "event"
    return Build.parse(fields.get("build")), cause


def drift_tag(node: str) -> str:
    """Tag of what a node tells of itself; its payload is a :class:`wbcore.drift.Report`."""
    return f"{DRIFT}{node}"


def drifted(tag: str, payload: object) -> Report:
    """The report in such an event; BadRequest for anything that no node of ours would send."""
    return Report.parse(payload, tag.removeprefix(DRIFT))


def joined_tag(node: str) -> str:
    """Tag of a node that has brought itself to what is live; it has no payload."""
    return f"{JOINED}{node}"


def joined(tag: str) -> str:
    """The node that such an event speaks of; BadRequest for what is no node."""
    node = tag.removeprefix(JOINED)
    if not NODE_ID.fullmatch(node):
        raise BadRequest(f"{node[:80]!r} is not a node", "a node is named by its minion id")
    return node
