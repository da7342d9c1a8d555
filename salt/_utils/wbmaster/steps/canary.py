"""Before step 8 of the wiki page: half of the web nodes switch and are tried out."""

from __future__ import annotations

from typing import Any

from ..golive import ways
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return ways.foreseen(run, "try_out")


def take(run: Run) -> dict[str, Any]:
    return ways.taken(run, "try_out")
