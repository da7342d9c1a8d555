"""What the measurements come to: ratios with their limits, a table, one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.place import CHECKOUT

RESULT = CHECKOUT / "bench/results/push.json"
OLD, BASED, OURS = "old scripts", "rsync with basis", "orch.push"
ONE_NODE, ONE_TRIP, WALL = (
    "WAN bytes / old scripts to one node",
    "WAN bytes / rsync with basis",
    "seconds / old scripts",
)
# Issue 4, "What it must show", 1 and 2.
LIMITS = {ONE_NODE: 0.03, ONE_TRIP: 0.25, WALL: 0.15}
ADDED_LIMIT = 0.02

Ways = Mapping[str, Mapping[str, Any]]


def ratios(ways: Ways) -> dict[str, dict[str, float]]:
    """Name → value and limit: ours beside the other two, and what each further node adds."""
    old, based, own = (ways[name] for name in (OLD, BASED, OURS))
    entry, *others = sorted(own["nodes"].items(), key=lambda item: -item[1])
    values = {
        ONE_NODE: own["wan"] / (old["wan"] / len(old["nodes"])),
        ONE_TRIP: own["wan"] / based["wan"],
        WALL: own["seconds"] / old["seconds"],
    }
    added = {f"added by {name} / the trip": count / entry[1] for name, count in others}
    limits = LIMITS | dict.fromkeys(added, ADDED_LIMIT)
    return {
        name: {"value": round(value, 4), "limit": limits[name]}
        for name, value in (values | added).items()
    }


def missed(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The ratios that are above their limits."""
    return [name for name, ratio in found.items() if ratio["value"] > ratio["limit"]]


def table(result: Mapping[str, Any]) -> str:
    """The ways beside one another, and what was done before ours travelled."""
    ways: Ways = result["ways"]
    nodes = list(ways[OURS]["nodes"])
    head = f"{'':18}{'WAN bytes':>15}{'seconds':>10}" + "".join(f"{n:>15}" for n in nodes)
    rows = [
        f"{name:18}{way['wan']:15,}{way['seconds']:10.1f}"
        + "".join(f"{way['nodes'][node]:15,}" for node in nodes)
        for name, way in ways.items()
    ]
    before = [f"{step} {seconds:.1f} s" for step, seconds in ways[OURS]["before"].items()]
    return "\n".join([
        f"{result['build']} after {result['basis']}: {result['files']:,} files, "
        f"{result['bytes'] / 1e6:,.1f} MB; link {result['wan_megabytes']} MB/s",
        head, *rows,
        f"not in the seconds of {OURS}, on wb-dev before anything travels: {', '.join(before)}; "
        f"its whole command took {ways[OURS]['command']:.1f} s",
    ])  # fmt: skip


def last_line(found: Mapping[str, Mapping[str, float]]) -> str:
    """Every ratio with its limit."""
    late = missed(found)
    return "; ".join(
        f"{name} {ratio['value']:.3f} ({'MISSED, ' if name in late else ''}limit {ratio['limit']})"
        for name, ratio in found.items()
    )
