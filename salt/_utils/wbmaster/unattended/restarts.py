"""Restarting servers of a web node that serves: out of the pool, one node at a time.

A node never does it by itself, since it can not know who else is out of the pool.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence

from wbcore.errors import ReleaseError
from wbcore.golive.served import differences
from wbcore.model.roles import node_links

from .. import run
from ..golive import epochs
from ..office import Office
from .drift_reports import known_node

# A release, or another node's restart, may be at work.
_ATTEMPTS = 12
_PAUSE_SECONDS = 5
_BY_HAND = "{0} waits: it is in no pool; run salt {0} wb_service.restart_due when it may restart"
_PAST_HAPROXY = (
    "{} waits: nginx on {} does not pass visitors to HAProxy yet, so they can not be kept from it;"
    " docs/adopt.md has the line for nginx"
)
_WAY_OUT = "the node says again that it is due, when it next enforces its states"


def restart_all(office: Office, nodes: Sequence[str]) -> dict[str, str]:
    """:func:`restart` each of these nodes, one after the other; what became of each."""
    said = {}
    for node in nodes:
        try:
            said[node] = restart(office, node)
        except ReleaseError as error:
            said[node] = str(error)
    return said


def restart(office: Office, node: object) -> str:
    """Take a web node out of the pool, restart what is due on it, and let it serve again if it
    then serves what is live; a node that does not stays out, and its own states see to it.

    A node that is in no pool is left to people. Nothing is done either while visitors come past
    HAProxy, while others are so few that the site needs this one, or while somebody is running for
    long: the node says again that it is due.
    """
    name = known_node(office, node)
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        words = {"run": f"restart-{name}-{os.getpid()}", "request": f"the restart on {name}"}
        if office.lock.take({**run.holder(), **words}):
            try:
                return _restart(office, name)
            finally:
                office.lock.release()
    return f"{name} waits: {office.lock.holder().get('request') or 'somebody'} is running"


def wake(office: Office) -> str:
    """Let the proxy's states count a node again whose restart was killed; '' for none."""
    resting = office.ledger.known().resting
    if not resting or not office.lock.free():
        return ""
    epochs.check(office.fleet, office.settings, office.ledger)
    office.ledger.rest("")
    return f"{resting} may serve again"


def _restart(office: Office, node: str) -> str:
    epochs.check(office.fleet, office.settings, office.ledger)
    if not office.fleet.one(node, "wb_service.due", _WAY_OUT):
        return f"nothing is due on {node}"
    if why := _not_now(office, node):
        return why
    proxy = office.fleet.one(office.settings.proxy, "wb_proxy.read", _WAY_OUT)
    pooled = proxy["pools"][proxy["live"]]
    others = [one for one in pooled if one != node]
    if node in pooled and not _enough(office, others):
        return f"{node} waits: only {len(others)} other web nodes serve"
    # From here on the proxy's states leave the node out, and those rendered before are void.
    office.ledger.rest(node)
    try:
        _let_serve(office, proxy["live"], others)
        restarted = office.fleet.one(node, "wb_service.restart_due", _WAY_OUT)
        wrong = _wrong(office, node)
    finally:
        office.ledger.rest("")
    if wrong:
        return f"{node} stays out of the pool, since {wrong}"
    if node in pooled:
        _let_serve(office, proxy["live"], pooled)
    return f"{', '.join(restarted)} restarted on {node}"


def _not_now(office: Office, node: str) -> str:
    """Why nothing can be restarted on a node, whoever serves; empty if it can."""
    if node not in office.settings.having("web"):
        return _BY_HAND.format(node)
    if office.ledger.known().switch:
        return f"{node} waits: a change-over has not ended"
    if not office.fleet.one(office.settings.proxy, "wb_nginx.passes", _WAY_OUT):
        return _PAST_HAPROXY.format(node, office.settings.proxy)
    return ""


def _enough(office: Office, others: list[str]) -> bool:
    web = office.settings.having("web")
    return len(others) * 100 >= len(web) * office.settings.golive.quorum_percent


def _wrong(office: Office, node: str) -> str:
    """Why a node does not serve what is live; empty when it does."""
    known = office.ledger.known()
    if known.live is None:
        return ""
    links = node_links(office.settings, node, known.releases[known.live].links())
    found = differences(office.fleet.one(node, "wb_live.version", _WAY_OUT), links)
    return found[0] if found else ""


def _let_serve(office: Office, pool: str, nodes: list[str]) -> None:
    order = {"pool": pool, "nodes": nodes, "epoch": office.ledger.epoch()}
    office.fleet.one(office.settings.proxy, "wb_proxy.set_pool", _WAY_OUT, **order)
