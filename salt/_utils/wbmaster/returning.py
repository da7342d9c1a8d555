"""Nodes that a release left out: asked to catch up as soon as they answer again.

One whose minion starts does so by itself. One that was only cut off has no way of knowing that
it missed something, before its own schedule has it look.
"""

from __future__ import annotations

from .opening import Office


def greet(office: Office) -> str:
    """Have nodes that were left out, and answer now, enforce their states; nobody waits for
    them. '' when there is none of them, or a run is at work, or nodes are not to do so by
    themselves (pillar ``wormbase:enforce``)."""
    behind = [node for node in office.ledger.behind() if node in office.settings.nodes]
    if not behind or not office.settings.enforce.minutes or not office.lock.free():
        return ""
    answers = office.fleet.ask(behind, "test.ping")
    back = [node for node, answer in answers.items() if answer.good]
    if not back:
        return ""
    office.fleet.begin(back, "wb_node.enforce")
    office.ledger.is_back(back)
    return f"asked to catch up: {', '.join(back)}"
