"""What was not as it should be on a node: reported by the node, checked by the master."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import BadRequest
from .settings import NODE_ID

DRIFT = "drift"
CAUGHT_UP = "caught_up"
ROTTED = "rotted"
FAILED = "failed"
KINDS = (DRIFT, CAUGHT_UP, ROTTED, FAILED)
# Of one report: more entries are only counted, longer words are cut.
MOST, LONGEST = 50, 200


@dataclass(frozen=True)
class Change:
    """One thing that was not as it should be: a state or a dataset, and what of it."""

    id: str
    what: str

    @classmethod
    def of(cls, name: object, what: object) -> Change:
        """A change in few enough words for a report; one line each."""
        return cls(_short(name), _short(what))


@dataclass(frozen=True)
class Report:
    """What one look at a node came to; ``more`` changes are counted and not listed."""

    node: str
    kind: str
    changes: tuple[Change, ...]
    more: int = 0

    @classmethod
    def of(cls, node: str, kind: str, changes: Iterable[Change]) -> Report:
        """A report of any number of changes."""
        told = tuple(changes)
        return cls(node, kind, told[:MOST], max(0, len(told) - MOST))

    @classmethod
    def parse(cls, payload: object, node: str) -> Report:
        """The report in the payload of an event about a node; BadRequest for anything else.

        Nothing in an event proves who sent it, so nothing is taken that a node of ours would
        not have sent. Salt wraps what a minion sends one level deeper.
        """
        outer = payload if isinstance(payload, Mapping) else {}
        data = outer.get("data", outer)
        if not isinstance(data, Mapping) or data.get("node") != node or not NODE_ID.fullmatch(node):
            raise _wrong("does not name its node")
        kind, changes, more = data.get("kind"), data.get("changes"), data.get("more")
        if kind not in KINDS:
            raise _wrong(f"has no kind of {', '.join(KINDS)}")
        if not isinstance(changes, list) or not 0 < len(changes) <= MOST:
            raise _wrong(f"has not between 1 and {MOST} changes")
        if type(more) is not int or not 0 <= more < 1_000_000:
            raise _wrong("does not count what it leaves out")
        return cls(node, str(kind), tuple(map(_change, changes)), more)

    def plain(self) -> dict[str, Any]:
        """The payload of its event."""
        return {
            "node": self.node,
            "kind": self.kind,
            "changes": [{"id": one.id, "what": one.what} for one in self.changes],
            "more": self.more,
        }


def of_states(node: str, returned: object, first: bool) -> list[Report]:
    """The reports of an application of states, none when everything was so already.

    returned
        What ``state.apply`` returned: the states, or a list of what kept it from rendering.
    first
        Whether what has to be is not what it was the last time.
    """
    if not isinstance(returned, Mapping):
        lines = returned if isinstance(returned, list) else [returned]
        return [Report.of(node, FAILED, [Change.of("state.apply", _said(one)) for one in lines])]
    states = [state for state in returned.values() if isinstance(state, Mapping)]
    failed = [_told(state, state.get("comment")) for state in states if state["result"] is False]
    changed = [
        _told(state, _shown(state["changes"]))
        for state in states
        if state["result"] is not False and state.get("changes")
    ]
    found = ((CAUGHT_UP if first else DRIFT, changed), (FAILED, failed))
    return [Report.of(node, kind, changes) for kind, changes in found if changes]


def _said(text: object) -> str:
    """What an error says; of a traceback the last line does."""
    lines = str(text).strip().splitlines() or ["nothing"]
    return lines[-1] if lines[0].startswith("Traceback") else str(text)


def _told(state: Mapping[str, Any], what: object) -> Change:
    return Change.of(state.get("__id__", state.get("name")), what)


def _shown(changes: object) -> str:
    """What a state changed, in a few words: never the contents of a file."""
    if not isinstance(changes, Mapping):
        return str(changes)
    return "; ".join(f"{key}{_how(value)}" for key, value in changes.items())


def _how(value: object) -> str:
    if isinstance(value, Mapping) and value.keys() >= {"old", "new"}:
        return f": {value['old']} -> {value['new']}"
    if isinstance(value, str) and "\n" in value:
        return ""
    return f": {value}"


def _short(text: object) -> str:
    line = " ".join(str(text).split())
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _change(value: object) -> Change:
    if not isinstance(value, Mapping) or set(value) != {"id", "what"}:
        raise _wrong("has a change without id and what")
    for text in value.values():
        if not isinstance(text, str) or text != _short(text):
            raise _wrong(f"has a change of more than a line of {LONGEST} letters")
    return Change(value["id"], value["what"])


def _wrong(why: str) -> BadRequest:
    return BadRequest(f"a report of drift {why}", "let wb_node.enforce send it")
