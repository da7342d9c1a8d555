"""Before a cluster is taken over: the carriers by which manifests and repairs travel."""

from __future__ import annotations

from typing import Any

from ..run import Run

_WAY_OUT = "nothing that serves was touched; fix it, and run the same command again"


def forecast(run: Run) -> dict[str, Any]:
    return _carry(run, test=True)


def take(run: Run) -> dict[str, Any]:
    return _carry(run, test=False)


def _carry(run: Run, test: bool) -> dict[str, Any]:
    nodes = [run.settings.staging, *run.plan.present]
    done = run.fleet.every(nodes, "wb_node.carry", _WAY_OUT, test=test)
    return {node: ", ".join(changes) for node, changes in done.items() if changes}
