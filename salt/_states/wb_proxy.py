"""The pools of the proxy.

.. code-block:: yaml

    every pool has its file:
      wb_proxy.prepared
    the nodes that serve WS221-2010.12.24-0.02-1350 are in the live pool:
      wb_proxy.serving:
        - release: WS221-2010.12.24-0.02-1350
        - web: {wb-web1: {production: WS221-2010.12.24-0.02-1350}}
        - going_live: False
        - epoch: 12
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import wbnode.minion
import wbnode.state
from wbcore.errors import StepFailed
from wbcore.model import proxy_pools
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__pillar__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_proxy"
PATIENCE_SECONDS = 6
_CHANGED = "What is live has changed meanwhile: the pool is left alone."


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def prepared(name: str) -> State:
    """Make sure that HAProxy finds its pools and its map; a file that is there stays as it is."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: {"missing": __salt__["wb_proxy.missing"]()},
        {"missing": []},
        lambda wrong: __salt__["wb_proxy.prepare"](),
    )


@wbnode.state.failed_state
def serving(
    name: str, release: str, web: Mapping[str, Mapping[str, str]], going_live: bool, epoch: int
) -> State:
    """Make sure that the live pool has those web nodes, and only those, that serve a release.

    web
        The web nodes that may serve: id → live links of the release.
    going_live
        Whether a go-live is running: it moves the pools then, and this leaves them alone.
    epoch
        The epoch of the ledger: nothing is moved once the proxy was told a later one.

    The nodes are asked more than once before one leaves the pool, since the same
    state.apply may be putting it right; :func:`wbcore.model.proxy_pools.to_serve` says who does.
    While none of them serves the release, the pool is left as it is.
    """
    proxy = __salt__["wb_proxy.read"]()
    if going_live or proxy["maintenance"]:
        return wbnode.state.outcome(name, True, "A go-live is running: the pools are left to it.")
    good = _serving(web, proxy["pools"][proxy["live"]])
    if not good:
        raise StepFailed(
            f"no web node serves {release}; the pool is left alone",
            "look at the web nodes: salt-run wb_release.status",
        )
    live = proxy["live"]
    have = {f"pool {live}": sorted(proxy["pools"][live])}
    wanted = {f"pool {live}": sorted(good)}
    moves = have != wanted and not __opts__["test"]
    if moves and not wbnode.state.still_live(__salt__, release, epoch):
        return wbnode.state.outcome(name, True, _CHANGED)

    def let_serve(wrong: Mapping[str, Any]) -> None:
        __salt__["wb_proxy.set_pool"](live, good, epoch)
        # A node in it may be new: the next run names it to a minion that has to know it.
        wbnode.state.learn(__salt__)

    return wbnode.state.reach(name, __opts__["test"], lambda: have, wanted, let_serve)


def _serving(web: Mapping[str, Mapping[str, str]], pooled: Sequence[str]) -> list[str]:
    percent = wbnode.minion.settings_of(__pillar__).golive.quorum_percent
    until, looks = time.monotonic() + PATIENCE_SECONDS, []
    while True:
        looks.append(proxy_pools.judged(__salt__["wb_proxy.reports"](list(web)), web))
        missed = [node for node in pooled if not looks[-1].get(node)]
        if not missed or (len(looks) > 1 and time.monotonic() > until):
            return proxy_pools.to_serve(pooled, looks, percent)
        time.sleep(0.5)
