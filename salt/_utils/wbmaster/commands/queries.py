"""What the runner ``wb_release`` answers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from wbcore.errors import BadData, BadRequest
from wbcore.golive import epoch
from wbcore.golive.served import differences
from wbcore.model.roles import node_links
from wbcore.requests import Request
from wbcore.verdicts import Verdict

from ..lifecycle.forecast import forecast
from ..nodes.observe import observe
from ..office import Office
from ..reporting import describe, watch

# Runs that are looked through for one.
_MOST = 1000


def status(office: Office) -> dict[str, Any]:
    """The live release, and what every node serves and whether that is all of it."""
    known = office.ledger.known()
    seen = observe(office.fleet, office.settings, None)
    links = known.releases[known.live].links() if known.live else {}
    nodes: dict[str, Any] = {node: {"state": seen.away(node)} for node in seen.absent}
    for node, one in seen.nodes.items():
        if node not in office.settings.serving:
            continue
        wrong = differences(one.version, node_links(office.settings, node, links))
        nodes[node] = {
            "state": "; ".join(wrong) or "whole",
            "release": one.version.get("release", one.links.get("production", "")),
            "acedb": one.version.get("acedb", ""),
            "mysql": one.version.get("mysql", {}),
            "pool": _pool(office, seen.proxy, node),
        }
    return {
        "live": str(known.live or ""),
        "ledger": _ledger(office, known.epoch, seen.epochs),
        "way_back": "".join(map(str, known.good_before()[:1])),
        "at_work": office.lock.holder().get("request", "") if not office.lock.free() else "",
        "verdicts": [_verdict(one) for one in known.verdicts],
        "proxy": dict(seen.proxy),
        "nodes": {
            node: {"site": office.settings.nodes[node].site, **one} for node, one in nodes.items()
        },
    }


def history(office: Office, limit: int, run: str = "") -> list[dict[str, Any]] | dict[str, Any]:
    """The newest runs, newest first; or the one that ``run`` names by its id or its build."""
    if not run:
        return [_run(office, one) for one in office.ledger.runs(limit)]
    alike = (one for one in office.ledger.runs(_MOST) if run in (one["id"], one["build"]))
    found = next(alike, None)
    if found is None:
        raise BadRequest(f"the ledger has no run {run[:60]!r}", "salt-run wb_release.history")
    return _run(office, found)


def verdicts(office: Office) -> list[dict[str, Any]]:
    """What was said about builds, oldest first; ``build`` is ``everything`` for all of them."""
    return [
        {
            "build": str(one.build or "everything"),
            "kind": one.kind,
            "since": _when(one.since),
            "who": one.who,
            "reason": one.reason,
        }
        for one in office.ledger.known().verdicts
    ]


def plan(office: Office, request: Request) -> dict[str, Any]:
    """What a request would do and cost."""
    run = office.plan(request)
    return {
        "would": describe.plan(run).splitlines(),
        "forecast": forecast(run),
        "nodes": {
            node: {
                "bytes": count,
                "datasets": list(run.plan.pulls.get(node, ())),
                "links": list(run.plan.flips.get(node, ())),
            }
            for node, count in run.plan.pull_bytes().items()
        },
    }


def watch_run(office: Office) -> str:
    """Follow the run at work until it ends."""
    if office.lock.free():
        return "No run is under way."
    run_id = str(office.lock.holder().get("run", ""))
    watch.until_ended(office, run_id)
    ended = office.ledger.run(run_id)
    return f"{run_id}: {ended['outcome'] if ended else 'nothing was left to do'}"


def _ledger(office: Office, known: int, held: Mapping[str, int]) -> str:
    try:
        epoch.check_ledger(known, held, office.settings)
    except BadData as error:
        return str(error)
    return "up to date"


def _pool(office: Office, proxy: Mapping[str, Any], node: str) -> str:
    """Whether visitors get a node's answers; '' for one that is never in a pool, or unknown."""
    if not proxy or node not in office.settings.having("web"):
        return ""
    return "in" if node in proxy["pools"].get(proxy["live"], ()) else "out"


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def _verdict(verdict: Verdict) -> str:
    return f"{verdict.build or 'everything'}: {verdict.kind} ({verdict.who}: {verdict.reason})"


def _run(office: Office, run: dict[str, Any]) -> dict[str, Any]:
    ended = run["ended"] or time.time()
    return {
        "run": run["id"],
        "release": run["release"],
        "cause": run["cause"],
        "who": run.get("who", ""),
        "reason": run.get("reason", ""),
        "began": _when(run["began"]),
        "seconds": round(ended - run["began"], 1),
        "outcome": run["outcome"] or "running",
        "error": run["error"],
        "forecast": run["forecast"],
        "told": run["figures"].get("told", {}),
        "steps": {
            step["step"]: {"outcome": step["outcome"] or "running", **step["figures"]}
            for step in office.ledger.steps(run["id"])
        },
    }
