"""The web nodes that serve: who takes part, who is in the proxy's pools, which pool is live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..run import Run

_WAY_OUT = "look at HAProxy there and run the same command again"


def web(run: Run) -> list[str]:
    """The web nodes that take part in the run."""
    return [node for node in run.settings.having("web") if node in run.plan.present]


def serving(run: Run) -> list[str]:
    """The web nodes in the live pool."""
    return _of_ours(run, _proxy(run)["live"])


def idle(run: Run) -> list[str]:
    """The web nodes in the other pool."""
    return _of_ours(run, _other(run))


def look(run: Run) -> None:
    """Ask the proxy anew: an answer may have been lost."""
    run.notes.proxy = run.fleet.one(run.settings.proxy, "wb_proxy.read", _WAY_OUT)


def let_serve(run: Run, nodes: Sequence[str]) -> None:
    """Let exactly these web nodes serve; no request is under way to any other then."""
    _set(run, _proxy(run)["live"], nodes)


def let_wait(run: Run, nodes: Sequence[str]) -> None:
    """Let exactly these web nodes be in the pool that is not live."""
    _set(run, _other(run), nodes)


def drain(run: Run) -> None:
    """Empty the pool that is not live, whatever is known of it: when that returns, no
    request that it gave to a node is under way."""
    _tell(run, _other(run), [])


def change_over(run: Run) -> None:
    """Let the other pool serve, from the next request on, for everybody at once."""
    new = _other(run)
    order = {"pool": new, "epoch": run.ledger.epoch()}
    run.fleet.one(run.settings.proxy, "wb_proxy.change_over", _WAY_OUT, **order)
    run.notes.proxy = {**_proxy(run), "live": new}


def _of_ours(run: Run, name: str) -> list[str]:
    """Who is in a pool; a node that was taken out of the pillar is none of ours any more."""
    web = run.settings.having("web")
    return [node for node in _proxy(run)["pools"].get(name, ()) if node in web]


def _set(run: Run, name: str, nodes: Sequence[str]) -> None:
    if sorted(_proxy(run)["pools"].get(name, ())) == sorted(nodes):
        return
    _tell(run, name, nodes)


def _tell(run: Run, name: str, nodes: Sequence[str]) -> None:
    order = {"pool": name, "nodes": list(nodes), "epoch": run.ledger.epoch()}
    run.fleet.one(run.settings.proxy, "wb_proxy.set_pool", _WAY_OUT, **order)
    proxy = _proxy(run)
    run.notes.proxy = {**proxy, "pools": {**proxy["pools"], name: list(nodes)}}


def _other(run: Run) -> str:
    return "a" if _proxy(run)["live"] == "b" else "b"


def _proxy(run: Run) -> dict[str, Any]:
    seen = {"live": "a", "pools": {}, **run.seen.proxy}
    return seen if run.notes.proxy is None else dict(run.notes.proxy)
