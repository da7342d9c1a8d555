"""Step 3 of the wiki page: the AceDB database travels to the nodes, beside what is live."""

from __future__ import annotations

from typing import Any

from wbcore.datasets import ACEDB

from .. import pushing
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return pushing.forecast(run, ACEDB)


def take(run: Run) -> dict[str, Any]:
    return pushing.take(run, "push_acedb", ACEDB)
