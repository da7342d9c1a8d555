"""Going live behind the maintenance page: page up, every node switched, checked, page off.

The wiki page's own way (steps 6, 8 and 9), for one web node and for who wants it. One road
for going forward and for going back. Nothing slow happens here: the release lies verified on
every node, and was started once, before the page goes up.
"""

from __future__ import annotations

import time
from typing import Any

from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.model.roles import node_links

from ..run import Run
from . import downloads, pool, switching

# The page's own end, should nobody be left to take it down, and how long after it nodes that
# still switch are waited for: with the keeper's questions it is down within 5 s of going up,
# and the nodes that serve no whole release by then are out of the pool.
LEASE_SECONDS = 4.0
PATIENCE_SECONDS = 0.3
# An order to switch that comes later than this after the page went up is stale: no node may
# still serve the release before, and yet be about to switch, when the lease ends.
ORDER_SECONDS = 2.6

Changes = dict[str, Any]


def foresee(run: Run) -> dict[str, Changes]:
    """What each step would change."""
    return {
        "take_out_of_service": {
            run.settings.proxy: "the maintenance page would be up for a moment"
        },
        "canary": {},
        "go_live": {node: links for node, links in run.plan.flips.items() if links},
        "return_to_service": {run.settings.proxy: f"would serve {run.plan.release}"},
    }


def take_out_of_service(run: Run, record: ReleaseRecord) -> Changes:
    """The page goes up; it returns once no request is under way."""
    run.ledger.begin_switch(run.id, run.known.live, record.release)
    # The push took its time, and until now the proxy took in and dropped whom it found so.
    pool.look(run)
    # Nodes are only taken out here: one that serves another release already joins when
    # the page is up and all have been checked.
    serving, left_out = pool.serving(run), set(run.plan.left_out)
    pool.let_serve(run, [node for node in serving if node not in left_out] or serving)
    _page_up(run, record)
    return {run.settings.proxy: "maintenance page up"}


def canary(run: Run, record: ReleaseRecord) -> Changes:
    """Nothing: who is tried out here is tried out in the preflight."""
    return {}


def go_live(run: Run, record: ReleaseRecord) -> Changes:
    """Every node is switched and checked."""
    links, web = record.links(), pool.web(run)
    # Behind the page nobody can see that they disagree.
    downloads.begin(run, record.release)
    changed = switching.switch(run, run.plan.present, links, _order(run))
    switching.check_through_proxy(run, web, links)
    pool.let_serve(run, web)
    return changed


def return_to_service(run: Run, record: ReleaseRecord) -> Changes:
    """The page comes down."""
    window = _page_down(run)
    run.notes.measured("return_to_service", window=round(window, 2))
    return {run.settings.proxy: f"active after {window:.1f} s, serving {record.release}"}


def put_back(run: Run, record: ReleaseRecord) -> None:
    """Every node goes back to the release that was live.

    Nodes that do not answer are named and left out of the pool; a node that can not be
    put back must not keep the others in maintenance.
    """
    _page_up(run, record)
    downloads.begin(run, record.release)
    good = switching.switch_those_that_can(run, run.plan.present, record, _order(run))
    pool.let_serve(run, [node for node in run.settings.having("web") if node in good])
    _page_down(run)


def give_up(run: Run) -> None:
    """There is nothing to go back to: the page comes down."""
    _page_down(run)


def _page_up(run: Run, record: ReleaseRecord) -> None:
    links = record.links()
    run.notes.page_since = time.time()
    run.fleet.one(
        run.settings.proxy,
        "wb_proxy.maintain",
        "look at HAProxy there and run the same command again",
        release=str(run.known.live or ""),
        seconds=LEASE_SECONDS,
        patience=PATIENCE_SECONDS,
        links={node: node_links(run.settings, node, links) for node in run.settings.having("web")},
        epoch=run.ledger.epoch(),
    )


def _page_down(run: Run) -> float:
    """Open the site again; seconds for which the page was up."""
    todo = "run the same command again"
    run.fleet.one(run.settings.proxy, "wb_proxy.open", todo, epoch=run.ledger.epoch())
    since, run.notes.page_since = run.notes.page_since, None
    return time.time() - since if since else 0.0


def _order(run: Run) -> float:
    return (run.notes.page_since or time.time()) + ORDER_SECONDS
