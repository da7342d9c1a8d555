"""Nodes of a cluster that was taken over are brought to their states, one after the other.

Nothing that serves is restarted. A restart that the states want waits until the node can be taken
out of the pool (``wbmaster.unattended.restarts``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..nodes.fleet import reason
from ..run import Run

STEP = "apply_states"
_SHOWN = 6
_WAY_OUT = "the site serves as before; fix it, and run the same command again"


def forecast(run: Run) -> dict[str, Any]:
    answers = run.fleet.ask(run.plan.settles, "wb_node.settle", test=True)
    return {
        node: f"would change {_named(answer.value)}" if answer.good else reason(answer)
        for node, answer in answers.items()
    }


def take(run: Run) -> dict[str, Any]:
    changed = {}
    for node in run.plan.settles:
        states = run.fleet.one(node, "wb_node.settle", _WAY_OUT, test=False)
        changed[node] = f"changed {_named(states)}"
        run.tell(STEP, "progress", node=node, received=0, complete=True)
    return changed


def _named(states: Sequence[str]) -> str:
    more = f" and {len(states) - _SHOWN} more" if len(states) > _SHOWN else ""
    return f"{len(states)} states: {', '.join(states[:_SHOWN])}{more}" if states else "nothing"
