"""Nodes on their way to a release: ordered to switch, then checked whether they serve it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from wbcore.errors import StepFailed
from wbcore.golive.served import differences
from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.model.roles import node_links

from ..nodes.fleet import Answer, reason, values
from ..run import Run

WAY_OUT = "the site was put back; look at the node and run the same command again"


def switch(
    run: Run, nodes: Sequence[str], links: Mapping[str, str], before: float
) -> dict[str, Any]:
    """Switch every node and return what changed on each; StepFailed for the first that then
    serves anything else than what the links promise.

    before
        Seconds since 1970 after which the order is stale.
    """
    answers = values(_switched(run, nodes, links, before), WAY_OUT)
    for node, answer in answers.items():
        check(run, node, answer["version"], links)
    return {node: answer["changed"] for node, answer in answers.items()}


def switch_those_that_can(
    run: Run, nodes: Sequence[str], record: ReleaseRecord, before: float
) -> dict[str, Any]:
    """Switch nodes; what changed on each that serves the release then. The others are noted
    as left out: one bad node must not keep the rest from serving."""
    links, good = record.links(), {}
    for node, answer in _switched(run, nodes, links, before).items():
        wrong = [reason(answer)]
        if answer.good:
            wrong = differences(answer.value["version"], node_links(run.settings, node, links))
        if wrong:
            run.notes.not_switched[node] = wrong[0]
        else:
            good[node] = answer.value["changed"]
    return good


def check_through_proxy(run: Run, nodes: Sequence[str], links: Mapping[str, str]) -> None:
    """Ask each web node through the proxy; StepFailed unless all serve one release."""
    for node, answer in reports(run, nodes).items():
        if answer["status"] != 200:
            raise StepFailed(
                f"the proxy can not learn what it serves: {_why(answer)}", WAY_OUT, node
            )
        check(run, node, answer["body"], links)


def ask(
    run: Run, path: str, nodes: Sequence[str], measure: bool = False
) -> dict[str, dict[str, Any]]:
    """The answers of web nodes to a path, through the proxy: status, seconds, and the body or,
    with ``measure``, a few numbers of it, so that a page of any size can be compared."""
    if not nodes:
        return {}
    answers: dict[str, dict[str, Any]] = run.fleet.one(
        run.settings.proxy, "wb_proxy.ask", WAY_OUT, path=path, nodes=list(nodes), measure=measure
    )
    return answers


def reports(run: Run, nodes: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What web nodes say that they serve, asked through the proxy: status, seconds, body."""
    if not nodes:
        return {}
    answers: dict[str, dict[str, Any]] = run.fleet.one(
        run.settings.proxy, "wb_proxy.reports", WAY_OUT, nodes=list(nodes)
    )
    return answers


def check(run: Run, node: str, version: Mapping[str, Any], links: Mapping[str, str]) -> None:
    """StepFailed unless what a node serves is what the links promise."""
    wrong = differences(version, node_links(run.settings, node, links))
    if wrong:
        raise StepFailed(f"it does not serve the release: {wrong[0]}", WAY_OUT, node=node)


def _why(answer: Mapping[str, Any]) -> str:
    """Why a report is none: what the node says, or why it could not be asked."""
    body = answer["body"]
    if not answer["status"]:
        return f"its report does not answer: {body}"
    told = body.get("error", "") if isinstance(body, Mapping) else ""
    return str(told or f"its report answers {answer['status']}")


def _switched(
    run: Run, nodes: Sequence[str], links: Mapping[str, str], before: float
) -> dict[str, Answer]:
    order = {"links": dict(links), "run": run.id, "before": before, "epoch": run.ledger.epoch()}
    given = run.fleet.ask(nodes, "wb_live.switch", **order)
    return {**given, **_of_the_silent(run, given)}


def _of_the_silent(run: Run, given: Mapping[str, Answer]) -> dict[str, Answer]:
    """An answer may be lost with a master that restarts, though the node obeyed:
    a silent node is asked once more what it serves, before anybody is put back for it."""
    silent = [node for node, answer in given.items() if answer.silent]
    return {
        node: Answer({"changed": {}, "version": answer.value}) if answer.good else answer
        for node, answer in run.fleet.ask(silent, "wb_live.version").items()
    }


def soon(seconds: float) -> float:
    """When an order given now is stale."""
    return time.time() + seconds
