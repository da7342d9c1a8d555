"""The live links of a node, and the servers that follow them.

.. code-block:: yaml

    the live links are those of WS221-2010.12.24-0.02-1350:
      wb_link.switched:
        - release: WS221-2010.12.24-0.02-1350
        - links: {acedb: wormbase_WS221, mysql/c_elegans: c_elegans_WS221}
        - going_live: False
        - epoch: 12
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import wbnode.state
from wbcore import events
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_link"
_SWITCH = "unfinished switch"
# Seconds that one switch may take to begin; it begins at once.
_SOON = 30
_CHANGED = "What is live has changed meanwhile: the links are left alone."


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def switched(
    name: str, release: str, links: Mapping[str, str], going_live: bool, epoch: int
) -> State:
    """Make sure that the live links are those of a release and that the servers serve them.

    links
        Name → target of each link that this node has.
    going_live
        Whether a go-live is running: it moves the links then, and this leaves them alone.
    epoch
        The epoch of the ledger: nothing is moved once the node was told a later one.

    Before anything is moved the master is asked again, since a go-live may have begun after
    this state was given to the node. A web node says afterwards that it serves, for the proxy.
    """
    if going_live:
        return wbnode.state.outcome(name, True, "A go-live is running: the links are left to it.")

    def read() -> dict[str, Any]:
        unfinished = __salt__["wb_live.unfinished"]()
        return {**__salt__["wb_link.read"](), _SWITCH: bool(unfinished)}

    def follow(wrong: Mapping[str, Any]) -> None:
        soon = time.time() + _SOON
        __salt__["wb_live.switch"](links, run="state.apply", before=soon, epoch=epoch)
        # A minion that started before the pillar named its node has neither roles nor schedule.
        wbnode.state.learn(__salt__)
        if "production" in links:
            __salt__["event.send"](events.joined_tag(__opts__["id"]))

    wanted = {**links, _SWITCH: False}
    have = read()
    right = all(have.get(key) == value for key, value in wanted.items())
    if right or __opts__["test"] or wbnode.state.still_live(__salt__, release, epoch):
        return wbnode.state.reach(name, __opts__["test"], read, wanted, follow)
    return wbnode.state.outcome(name, True, _CHANGED)
