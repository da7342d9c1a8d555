"""Every event tag of the project and what its payload holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .drift import Report
from .errors import BadRequest
from .names import Build
from .settings import NODE_ID

BUILD_READY = "wormbase/build/ready"
BUILD_ANSWERED = "wormbase/build/answered"
LANDED, EVENT, COMMAND = "landed", "event", "command"
START, DONE, FAILED, PROGRESS = "start", "done", "failed", "progress"
# Of a run alone, which goes on when the machines answer that it waits for.
WAITING = "waiting"
PHASES = (START, DONE, FAILED, PROGRESS, WAITING)
PREFIX = "wormbase/release/"
DRIFT = "wormbase/drift/"
JOINED = "wormbase/joined/"
DUE = "wormbase/due/"
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


@dataclass(frozen=True)
class Announcement:
    """That a build has landed, as the beacon (``landed``) or a person says with an event
    (``event``) or on the master (``command``), and the minion whom the envelope names, '' for
    none.

    A minion can forge an event with any of it but ``command``, which no event carries; so an
    event only wakes the master, which looks at the development server itself.
    """

    build: Build
    cause: str
    sender: str = ""


def announced(payload: object) -> Announcement:
    """The announcement in a ``wormbase/build/ready`` event, or BadRequest.

    Salt wraps what a minion sends one level deeper, beside the minion's id.
    """
    envelope = payload if isinstance(payload, dict) else {}
    data = envelope.get("data", envelope)
    fields = data if isinstance(data, dict) else {}
    cause = LANDED if fields.get("cause") == LANDED else EVENT
    return Announcement(Build.parse(fields.get("build")), cause, _sender(envelope.get("id", "")))


def _sender(text: object) -> str:
    if text == "" or (isinstance(text, str) and NODE_ID.fullmatch(text)):
        return text
    raise BadRequest(f"{str(text)[:40]!r} is not the id of a minion", "send it with event.send")


def answered(announcement: Announcement, state: str, answer: str) -> dict[str, str]:
    """Payload of ``wormbase/build/answered``: what became of an announcement, and why."""
    return {
        "build": str(announcement.build),
        "cause": announcement.cause,
        "sender": announcement.sender,
        "state": state,
        "answer": answer,
    }


def drift_tag(node: str) -> str:
    """Tag of what a node reports of itself; its payload is a :class:`wbcore.drift.Report`."""
    return f"{DRIFT}{node}"


def drifted(tag: str, payload: object) -> Report:
    """The report in such an event; BadRequest for anything that no node of ours would send."""
    return Report.parse(payload, tag.removeprefix(DRIFT))


def joined_tag(node: str) -> str:
    """Tag of a node that has brought itself to what is live; it has no payload."""
    return f"{JOINED}{node}"


def joined(tag: str) -> str:
    """The node that such an event speaks of; BadRequest for what is no node."""
    return _node(tag.removeprefix(JOINED))


def due_tag(node: str) -> str:
    """Tag of a node on which servers have to be restarted; it has no payload."""
    return f"{DUE}{node}"


def due(tag: str) -> str:
    """The node that such an event speaks of; BadRequest for what is no node."""
    return _node(tag.removeprefix(DUE))


def _node(node: str) -> str:
    if not NODE_ID.fullmatch(node):
        raise BadRequest(f"{node[:80]!r} is not a node", "a node is named by its minion id")
    return node
