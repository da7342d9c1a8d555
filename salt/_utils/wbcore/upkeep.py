"""What a node does by itself, for Salt's own schedule in its pillar."""

from __future__ import annotations

from typing import Any

from .settings import Settings

# The nodes of a site need not all read their disks in the same minute.
_NIGHT_SPLAY_SECONDS = 3600


def schedule(settings: Settings) -> dict[str, Any]:
    """The jobs of every node: it enforces its state, and reads a part of its data each night.

    What they have to say they tell in events, so the master keeps no returns of them.
    """
    enforce = settings.enforce
    quietly = {"maxrunning": 1, "return_job": False}
    jobs: dict[str, Any] = {}
    if enforce.minutes:
        jobs["wormbase enforcement"] = {
            "function": "wb_node.enforce",
            "minutes": enforce.minutes,
            "splay": enforce.splay_seconds,
            # A node that was away catches up when its minion starts.
            "run_on_start": True,
            **quietly,
        }
    if enforce.deep_days:
        jobs["wormbase deep verification"] = {
            "function": "wb_dataset.verify",
            "cron": f"0 {enforce.deep_hour} * * *",
            "splay": _NIGHT_SPLAY_SECONDS,
            **quietly,
        }
    return jobs
