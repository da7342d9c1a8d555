"""Nodes that come back: asked to catch up, and taken into the pool when they serve.

One whose minion starts catches up by itself. One that was only cut off has no way of knowing
that it missed something, before its own schedule has it look.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from wbcore.errors import BadRequest, StepFailed

from ..nodes.fleet import reason
from ..office import Office

# The proxy may be at its own states just now, or a release at work.
_ATTEMPTS = 12
_PAUSE_SECONDS = 5


def greet(office: Office) -> str:
    """Have nodes that a release left out, and that answer now, enforce their states; nobody
    waits for them. '' when there is none of them, or a run is running, or nodes are not to do
    so by themselves (pillar ``wormbase:enforce``)."""
    away = [node for node in office.ledger.away() if node in office.settings.nodes]
    if not away or not office.settings.enforce.minutes or not office.lock.free():
        return ""
    answers = office.fleet.ask(away, "test.ping")
    back = [node for node, answer in answers.items() if answer.good]
    if not back:
        return ""
    office.fleet.begin(back, "wb_node.enforce")
    office.ledger.is_back(back)
    return f"asked to catch up: {', '.join(back)}"


def admit(office: Office, nodes: Sequence[str]) -> str:
    """Have the proxy enforce its states, since nodes say that they serve what is live: the
    proxy asks each node itself before it takes it into its pool. BadRequest when none of them
    is a web node."""
    proxy, web = office.settings.proxy, office.settings.having("web")
    told = ", ".join(node for node in nodes if node in web)
    if not told:
        raise BadRequest(
            f"{nodes[0]!r:.60} is not a web node: the proxy has nothing to do",
            "the nodes are listed in the pillar wormbase:nodes",
        )
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        answer = office.fleet.ask([proxy], "wb_node.enforce")[proxy]
        if not answer.good:
            raise StepFailed(reason(answer), "its own schedule tries again", node=proxy)
        if not answer.value.get("put_off"):
            return f"{proxy} has looked at {told}"
    return f"{proxy} put it off, since {answer.value['put_off']}; its own schedule tries again"
