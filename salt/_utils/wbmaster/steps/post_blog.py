"""Step 10 of the wiki page: the blog post, once."""

from __future__ import annotations

from typing import Any

from .. import announcing
from ..run import Run

_WAY = announcing.Way("post", "posted", "blog")


def forecast(run: Run) -> dict[str, Any]:
    return announcing.forecast(run, _WAY)


def take(run: Run) -> dict[str, Any]:
    return announcing.take(run, _WAY)
