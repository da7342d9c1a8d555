"""The epoch: a counter of change-overs, kept by the ledger and by every node.

The ledger advances it whenever a change-over begins or turns back, and when a run ends, and
every order to a node carries it. A copy of the ledger that is put back later is thereby known
to be old, and so is an order that was held up.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import BadData, StepFailed
from ..settings import Settings

# Whoever holds only one node's key must not be able to stop all others.
_WITNESSES = 2
RECOVER = "salt-run wb_release.recover_ledger"


def check_order(held: int, given: int) -> None:
    """StepFailed for an order that is older than the last one that a node received.

    held
        The epoch of the node.
    given
        The epoch of the order.
    """
    if given < held:
        raise StepFailed(
            f"the order is of epoch {given}, and epoch {held} has begun; nothing was done",
            f"if the master's ledger is an old copy, run {RECOVER}",
        )


def reached(held: Mapping[str, int], settings: Settings) -> int:
    """The epoch that the cluster has reached: the proxy's, or a later one that two other nodes
    hold.

    held
        Node id → its epoch.
    """
    others = sorted((epoch for node, epoch in held.items() if node != settings.proxy), reverse=True)
    confirmed = others[_WITNESSES - 1] if len(others) >= _WITNESSES else 0
    return max(held.get(settings.proxy, 0), confirmed)


def check_ledger(known: int, held: Mapping[str, int], settings: Settings) -> None:
    """BadData when the cluster has reached a later epoch than the ledger knows."""
    epoch = reached(held, settings)
    if epoch > known:
        raise BadData(
            f"the ledger is an old copy: it ends at epoch {known}, and the nodes are at {epoch}",
            f"run {RECOVER}, which brings it up to date from what the nodes hold",
        )
