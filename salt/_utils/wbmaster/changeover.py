"""The change-over: maintenance page on, every node switched, checked, page off.

One road for going forward and for going back. Nothing slow happens here: the release
lies verified on every node, and was started once, before the page goes up.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from wbcore.errors import StepFailed
from wbcore.golive import differences
from wbcore.seen import ReleaseRecord, node_links

from .fleet import Answer, reason, values
from .run import Run

# The page's own end, should nobody be left to take it down (invariant 6); and how long after
# it nodes that still switch are waited for, before the site opens without them.
LEASE_SECONDS = 4.8
PATIENCE_SECONDS = 5.0
# An order to switch that comes later than this after the page went up is stale: no node may
# still serve the release before, and yet be about to switch, when the lease ends.
ORDER_SECONDS = 3.3
_TODO = "the site was put back; look at the node and run the same command again"


def page_up(run: Run) -> None:
    """Put the site into maintenance, and return once no request is under way."""
    live = run.known.live
    run.notes["window_began"] = time.time()
    run.fleet.one(
        run.settings.proxy,
        "wb_proxy.maintain",
        "look at nginx there and run the same command again",
        release=str(live or ""),
        seconds=LEASE_SECONDS,
        patience=PATIENCE_SECONDS,
    )


def switch(run: Run, nodes: Sequence[str], links: Mapping[str, str]) -> dict[str, Any]:
    """Switch every node and return what each serves then; StepFailed for the first that
    serves anything else than what the links promise."""
    given = run.fleet.ask(
        nodes,
        "wb_live.switch",
        links=dict(links),
        run=run.id,
        before=float(run.notes.get("window_began", time.time())) + ORDER_SECONDS,
    )
    answers = values({**given, **_of_the_silent(run, given)}, _TODO)
    for node, answer in answers.items():
        _check(node, answer["version"], node_links(run.settings, node, links))
    return {node: answer["changed"] for node, answer in answers.items()}


def _of_the_silent(run: Run, given: Mapping[str, Answer]) -> dict[str, Answer]:
    """An answer may be lost with a master that restarts, though the node did as it was told:
    a silent node is asked once more what it serves, before anybody is put back for it."""
    silent = [node for node, answer in given.items() if answer.silent]
    return {
        node: Answer({"changed": {}, "version": answer.value}) if answer.good else answer
        for node, answer in run.fleet.ask(silent, "wb_live.version").items()
    }


def check_through_proxy(run: Run, nodes: Sequence[str], links: Mapping[str, str]) -> None:
    """Ask each web node through the proxy; StepFailed unless all serve one release."""
    answers = run.fleet.one(
        run.settings.proxy, "wb_proxy.ask", _TODO, path="/version", nodes=list(nodes)
    )
    for node in nodes:
        answer = answers[node]
        if answer["status"] != 200:
            raise StepFailed(f"/version answers {answer['status']} through the proxy", _TODO, node)
        _check(node, answer["body"], node_links(run.settings, node, links))


def page_down(run: Run) -> float:
    """Open the site again; seconds for which the page was up."""
    run.fleet.one(run.settings.proxy, "wb_proxy.open", "run the same command again")
    return time.time() - float(run.notes.pop("window_began", time.time()))


def put_back(run: Run) -> None:
    """Undo an unfinished change-over: every node back on the release that was live.

    Nodes that do not answer are named and left out of the pool; a node that can not be
    put back must not keep the others in maintenance.
    """
    switching = run.ledger.known().switch
    if switching is None:
        return
    if switching.before is None:
        run.ledger.undo_switch()
        page_down(run)
        return
    record = run.ledger.known().releases[switching.before]
    page_up(run)
    good = _switch_those_that_can(run, record)
    set_pool(run, [node for node in run.settings.having("web") if node in good])
    run.notes["window"] = page_down(run)
    run.ledger.undo_switch()


def set_pool(run: Run, nodes: Sequence[str]) -> None:
    """Let exactly these web nodes serve."""
    if sorted(pool(run)) == sorted(nodes):
        return
    run.fleet.one(
        run.settings.proxy,
        "wb_proxy.set_pool",
        "look at nginx there and run the same command again",
        pool=run.seen.proxy.get("live", "a"),
        nodes=list(nodes),
    )
    run.notes["pool"] = list(nodes)


def pool(run: Run) -> list[str]:
    """The web nodes that serve."""
    live = run.seen.proxy.get("live", "a")
    return list(run.notes.get("pool", run.seen.proxy.get("pools", {}).get(live, ())))


def repairs(run: Run) -> bool:
    """Whether the release is live already and only some nodes are behind: those are mended
    outside the pool, and nobody sees a maintenance page."""
    plan = run.plan
    return plan.release == plan.before and bool(set(web(run)) - set(plan.behind))


def web(run: Run) -> list[str]:
    """The web nodes that take part in the run."""
    return [node for node in run.settings.having("web") if node in run.plan.present]


def _switch_those_that_can(run: Run, record: ReleaseRecord) -> list[str]:
    answers = run.fleet.ask(
        run.plan.present,
        "wb_live.switch",
        links=record.links(),
        run=run.id,
        before=float(run.notes.get("window_began", time.time())) + ORDER_SECONDS,
    )
    good = []
    for node, answer in answers.items():
        links = node_links(run.settings, node, record.links())
        wrong = differences(answer.value["version"], links) if answer.good else [reason(answer)]
        if wrong:
            run.notes.setdefault("left_out", {})[node] = wrong[0]
        else:
            good.append(node)
    return good


def _check(node: str, version: Mapping[str, Any], links: Mapping[str, str]) -> None:
    wrong = differences(version, links)
    if wrong:
        raise StepFailed(f"it does not serve the release: {wrong[0]}", _TODO, node=node)
