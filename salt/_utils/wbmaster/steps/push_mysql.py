"""Step 4 of the wiki page: the MySQL databases travel to the nodes, beside what is live."""

from __future__ import annotations

from typing import Any

from wbcore.datasets import MYSQL

from .. import pushing
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return pushing.forecast(run, MYSQL)


def take(run: Run) -> dict[str, Any]:
    return pushing.take(run, "push_mysql", MYSQL)
