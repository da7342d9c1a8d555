"""Whether what the master says is live can be what is live.

.. code-block:: yaml

    the ledger is no old copy:
      wb_live.current:
        - epoch: 12
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wbnode.state
from wbcore.errors import BadData
from wbcore.golive.epoch import RECOVER
from wbnode.state import State

# Salt gives them to the module.
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_live"
_LATER = "A run has ended meanwhile: what it left is enforced the next time."


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def current(name: str, epoch: int) -> State:
    """Make sure that the ledger has reached the last epoch that this node received: if not, it
    is an old copy, and what it calls live is not. States that move something require this.

    epoch
        The epoch of the ledger, from the pillar ``wormbase:live``.
    """
    held = __salt__["wb_live.epoch"]()
    if held <= epoch:
        return wbnode.state.outcome(name, True, "The ledger is no older than this node.")
    if wbnode.state.live(__salt__).get("epoch", 0) >= held:
        return wbnode.state.outcome(name, True, _LATER)
    raise BadData(
        f"the master's ledger is an old copy: it ends at epoch {epoch}, and this node is at {held}",
        f"run {RECOVER} on the master",
    )
