"""Step 8 of the wiki page: every node's links are switched and its servers follow."""

from __future__ import annotations

from typing import Any

from .. import changeover
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return {
        node: ", ".join(f"{name} -> {target}" for name, target in links.items())
        for node, links in run.plan.flips.items()
        if links
    }


def take(run: Run) -> dict[str, Any]:
    release = run.plan.release
    if release is None or not run.plan.needs_golive:
        return {}
    links = run.known.releases[release].links()
    nodes = run.plan.behind if changeover.repairs(run) else run.plan.present
    changed = changeover.switch(run, nodes, links)
    changeover.check_through_proxy(run, changeover.web(run), links)
    changeover.set_pool(run, changeover.web(run))
    way = "back" if run.request.kind == "rollback" else "forward"
    run.ledger.pass_switch(run.id, release, way)
    run.known = run.ledger.known()
    return {node: links for node, links in changed.items() if links}
