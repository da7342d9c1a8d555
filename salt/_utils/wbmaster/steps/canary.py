"""Step 8 of the wiki page, first part: half of the web nodes switch and are compared."""

from __future__ import annotations

from typing import Any

from ..golive import ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return ways.foreseen(run, "canary")


def take(run: Run) -> dict[str, Any]:
    return ways.taken(run, "canary")
