"""What a node does by itself, and when: for Salt's own schedule, and for its functions.

A minion that has found its master again takes the schedule of its pillar for one of its own,
which no later pillar changes. So the schedule is the same for ever, and asks often; whether it
is time the functions decide, by the pillar as it is then.
"""

from __future__ import annotations

import zlib
from typing import Any

from ..settings import Enforce

# The nodes of a site need not all read their disks in the same minute.
_NIGHT_SPLAY_SECONDS = 1800
_SPLAY_SECONDS = 20


def schedule() -> dict[str, Any]:
    """The jobs of every node: it enforces its state, and reads a part of its data each night.

    What they have to say they tell in events, so the master keeps no returns of them.
    """
    quietly = {"maxrunning": 1, "return_job": False, "kwargs": {"when_due": True}}
    return {
        "wormbase enforcement": {
            "function": "wb_node.enforce",
            "minutes": 1,
            "splay": _SPLAY_SECONDS,
            # A node that was away catches up when its minion starts.
            "run_on_start": True,
            **quietly,
        },
        "wormbase deep verification": {
            "function": "wb_dataset.verify",
            "cron": "0 * * * *",
            "splay": _NIGHT_SPLAY_SECONDS,
            **quietly,
        },
    }


def is_due(enforce: Enforce, node: str, last: float, started: float, now: float) -> bool:
    """Whether it is time for a node to enforce its states.

    last
        When it did so the last time; 0 for never. Seconds since 1970, as the others.
    started
        When its minion started: what happened before is not known.
    """
    own = zlib.crc32(node.encode()) % (enforce.splay_seconds + 1)
    return bool(enforce.minutes) and (last < started or now >= last + 60 * enforce.minutes + own)


def is_night(enforce: Enforce, hour: int) -> bool:
    """Whether it is the hour of the day, 0 to 23, for reading data again."""
    return bool(enforce.deep_days) and hour == enforce.deep_hour
