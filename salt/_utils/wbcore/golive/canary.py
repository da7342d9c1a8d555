"""Whether a new release answers as the one before does, side by side."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ..settings import GoLive

# Differences too small to mean anything: seconds, and counts of each kind.
_SECONDS = 0.5
_SLACK = {"bytes": 500, "links": 5, "rows": 5, "fields": 0}

Answer = Mapping[str, Any]


def problem(old: Sequence[Answer], new: Answer, golive: GoLive) -> str:
    """What of a new answer is not as in the old ones, in words; nothing if it is.

    old
        ``{status, seconds, numbers}`` of the nodes that serve, to the same path at the same
        moment; without any proper one, only the status of the new answer counts.
    new
        The same of the node that is tried. No answer, or an error of its own, is never
        right, even if the others give none either: that two fail alike proves nothing.
    """
    if new["status"] == 0:
        return f"gives no answer ({new['body']})"
    proper = [answer for answer in old if 0 < answer["status"] < 500]
    wanted = _most_common([answer["status"] for answer in proper]) if proper else 200
    if new["status"] != wanted:
        return f"answers {new['status']} instead of {wanted}"
    good = [answer for answer in proper if answer["status"] == wanted]
    if not good:
        return ""
    usual = statistics.median(answer["seconds"] for answer in good)
    if new["seconds"] > usual * golive.slower_times + _SECONDS:
        return f"takes {new['seconds']:.1f} s instead of {usual:.1f} s"
    here = new["numbers"]
    for name in here:
        there = [answer["numbers"].get(name, 0) for answer in good]
        before = statistics.median(there)
        less, more = sorted((here[name], before))
        if more > less * golive.numbers_times + _SLACK[name]:
            return f"has {here[name]} {name} instead of {before:.0f}"
    return ""


def numbers(body: Any) -> dict[str, int]:
    """A few numbers of a page, or of the object that JSON gave."""
    if isinstance(body, str):
        return {
            "bytes": len(body),
            "links": len(re.findall("<a ", body)),
            "rows": len(re.findall("<tr|<li", body)),
        }
    return {"bytes": len(json.dumps(body)), "fields": len(body) if hasattr(body, "__len__") else 0}


def _most_common(statuses: Sequence[int]) -> int:
    return statistics.mode(statuses)
