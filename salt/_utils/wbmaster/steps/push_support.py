"""Step 5 of the wiki page: the support files travel to the nodes, beside what is live."""

from __future__ import annotations

from typing import Any

from wbcore.datasets import SUPPORT

from .. import pushing
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return pushing.forecast(run, SUPPORT)


def take(run: Run) -> dict[str, Any]:
    return pushing.take(run, "push_support", SUPPORT)
