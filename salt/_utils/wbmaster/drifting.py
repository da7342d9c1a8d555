"""What nodes tell of themselves: checked, recorded, shown; and a node that serves again."""

from __future__ import annotations

import time
from typing import Any

from wbcore.drift import Report
from wbcore.errors import BadRequest, StepFailed

from .fleet import reason
from .opening import Office

# The proxy may be at its own states just now, or a release at work.
_ATTEMPTS = 12
_PAUSE_SECONDS = 5


def record(office: Office, node: str, report: object) -> str:
    """Record what a node told; BadRequest for what no node of this site would tell."""
    parsed = Report.parse(report, _known(office, node))
    office.ledger.record_drift(parsed)
    return f"{node}: {parsed.kind}, {len(parsed.changes) + parsed.more}"


def admit(office: Office, node: str) -> str:
    """Have the proxy enforce its states, since a node says that it serves what is live: the
    proxy asks the node itself before it takes it into its pool."""
    proxy = office.settings.proxy
    if "web" not in office.settings.nodes[_known(office, node)].roles:
        return f"{node} is not a web node: the proxy has nothing to do"
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        answer = office.fleet.ask([proxy], "wb_node.enforce")[proxy]
        if not answer.good:
            raise StepFailed(reason(answer), "its own schedule tries again", node=proxy)
        if not answer.value.get("put_off"):
            return f"{proxy} has looked at {node}"
    return f"{proxy} put it off, since {answer.value['put_off']}; its own schedule tries again"


def shown(office: Office, limit: int, node: str) -> list[dict[str, Any]]:
    """The newest that nodes told, newest first."""
    rows = office.ledger.drift(limit, _known(office, node) if node else "")
    return [
        {
            "node": row["node"],
            "kind": row["kind"],
            "first": _when(row["since"]),
            "last": _when(row["last"]),
            "times": row["times"],
            "changes": [f"{change['id']}: {change['what']}" for change in row["changes"]],
            "more": row["more"],
        }
        for row in rows
    ]


def _known(office: Office, node: object) -> str:
    if node not in office.settings.nodes:
        raise BadRequest(
            f"{str(node)[:60]!r} is not a node", "the pillar wormbase:nodes tells which nodes are"
        )
    return str(node)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
