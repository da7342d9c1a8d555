"""What nodes report of themselves: checked, recorded, shown."""

from __future__ import annotations

import time
from typing import Any

from wbcore.drift import Report
from wbcore.errors import BadRequest

from ..office import Office


def record(office: Office, node: str, report: object) -> str:
    """Record what a node reported; BadRequest for what no node of this site would report."""
    parsed = Report.parse(report, known_node(office, node))
    office.ledger.record_drift(parsed)
    return f"{node}: {parsed.kind}, {len(parsed.changes) + parsed.more}"


def shown(office: Office, limit: int, node: str) -> list[dict[str, Any]]:
    """The newest reports, newest first."""
    rows = office.ledger.drift(limit, known_node(office, node) if node else "")
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


def known_node(office: Office, node: object) -> str:
    """The id of a node of this site; BadRequest for anything else."""
    if node not in office.settings.nodes:
        raise BadRequest(
            f"{str(node)[:60]!r} is not a node", "the nodes are listed in the pillar wormbase:nodes"
        )
    return str(node)


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
