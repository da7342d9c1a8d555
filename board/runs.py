"""The runs that somebody looks for."""

from __future__ import annotations

from collections.abc import Iterable

from wbmaster.reporting.tree import RUNNING, Row


def chosen(rows: Iterable[Row], build: str, kind: str, outcome: str) -> list[Row]:
    """The runs that somebody looks for; '' leaves a question open."""
    return [
        row
        for row in rows
        if build in ("", row["build"])
        and kind in ("", row["kind"])
        and outcome in ("", row["outcome"] or RUNNING)
    ]
