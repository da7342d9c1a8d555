"""Going live without anybody noticing: half of the web nodes first, then the others.

The first half leaves the pool, switches, and answers real requests side by side with the half
that still serves. Only if they agree does one flag at the proxy bring the site over, for
everybody at once. For a while the error rate is watched, with the other half still on the
release before; then that half follows. A failure before the flag changes has touched nothing
that serves; after it a node that fails stays out of the pool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wbcore.errors import StepFailed
from wbcore.golive.canary import problem
from wbcore.golive.halves import first_half
from wbcore.golive.served import differences
from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.model.roles import node_links

from ..run import Run
from . import downloads, pool, switching

# A node that was out of the pool may be in it again after this: later orders are stale.
ORDER_SECONDS = 10.0

Changes = dict[str, Any]


def foresee(run: Run) -> dict[str, Changes]:
    """What each step would change."""
    first, moved = _first(run)
    flips = {node: links for node, links in run.plan.flips.items() if links}
    later = {node: links for node, links in flips.items() if node not in first}
    joining = sorted({*later, *set(pool.web(run)) - set(first)})
    return {
        "take_out_of_service": {}
        if moved
        else {run.settings.proxy: f"{', '.join(first)} would leave the pool"},
        "canary": {} if moved else {node: flips[node] for node in first if node in flips},
        "go_live": {} if moved else {run.settings.proxy: f"would serve {run.plan.release}"},
        "return_to_service": {node: later.get(node, "would join the pool") for node in joining},
    }


def take_out_of_service(run: Run, record: ReleaseRecord) -> Changes:
    """Half of the web nodes leave the pool, those that are out of it first."""
    if record.release != run.known.live:
        run.ledger.begin_switch(run.id, run.known.live, record.release)
    else:
        run.ledger.advance()
    # The push took its time, and until now the proxy took in and dropped whom it found so.
    pool.look(run)
    first, moved = _first(run)
    if run.known.switch and not moved:
        # Whoever died in it may have moved the site without waiting for what was under way.
        pool.drain(run)
    run.notes.first, run.notes.moved = first, moved
    pool.let_serve(run, first if moved else _staying(run, first))
    return {} if moved else {run.settings.proxy: f"{', '.join(first)} left the pool"}


def canary(run: Run, record: ReleaseRecord) -> Changes:
    """The first half switches, and is compared with the half that serves."""
    if run.notes.moved:
        return {}
    first, soon = run.notes.first, switching.soon(ORDER_SECONDS)
    changed = switching.switch(run, first, record.links(), soon)
    switching.check_through_proxy(run, first, record.links())
    if not _going_back(run):
        _compare(run, first)
    return changed


def go_live(run: Run, record: ReleaseRecord) -> Changes:
    """The first half serves from the next request on, and the other one no longer."""
    if run.notes.moved:
        # Whoever moved it may have died before this.
        pool.drain(run)
        return {}
    pool.let_wait(run, run.notes.first)
    downloads.begin(run, record.release)
    pool.change_over(run)
    if run.known.live and not _going_back(run):
        _watch(run)
    pool.drain(run)
    return {run.settings.proxy: f"serves {record.release}"}


def return_to_service(run: Run, record: ReleaseRecord) -> Changes:
    """All other nodes follow; those that serve the release then are in the pool."""
    first = run.notes.first
    rest = [node for node in run.plan.present if node not in first]
    changed = switching.switch_those_that_can(run, rest, record, switching.soon(ORDER_SECONDS))
    joined = [node for node in pool.web(run) if node in first or node in changed]
    new = set(joined) - set(pool.serving(run))
    pool.let_serve(run, joined)
    # Nobody has seen a page.
    run.notes.measured("return_to_service", window=0.0)
    return {
        node: links or "joined the pool" for node, links in changed.items() if links or node in new
    }


def put_back(run: Run, record: ReleaseRecord) -> None:
    """The release that was live serves again, on every node that can."""
    pool.look(run)
    if _has_moved(run):
        _change_back(run, record)
    else:
        pool.drain(run)
    serving = pool.serving(run)
    rest = [node for node in run.plan.present if node not in serving]
    good = switching.switch_those_that_can(run, rest, record, switching.soon(ORDER_SECONDS))
    web = run.settings.having("web")
    stay = [node for node in serving if node not in run.plan.absent]
    pool.let_serve(run, [node for node in web if node in stay or node in good])


def give_up(run: Run) -> None:
    """There is nothing to go back to, and no page to take down."""


def _change_back(run: Run, record: ReleaseRecord) -> None:
    """Let visitors have the release before again.

    One flag does it at once while the other half still serves that release. Otherwise (that half
    had begun to follow, or a node of it went away) half of the pool leaves it and is switched
    back first, as in a release, so that nobody gets a mixture or an error meanwhile.
    """
    if not pool.idle(run) or not _all_serve(run, pool.idle(run), record):
        first = first_half(pool.web(run), _pooled(run))
        pool.let_serve(run, [node for node in _pooled(run) if node not in first])
        soon = switching.soon(ORDER_SECONDS)
        good = switching.switch_those_that_can(run, first, record, soon)
        if not good:
            raise StepFailed(
                f"no node can serve {record.release}", "look at the web nodes and their logs"
            )
        pool.let_wait(run, list(good))
    downloads.begin(run, record.release)
    pool.change_over(run)
    pool.drain(run)


def _first(run: Run) -> tuple[list[str], bool]:
    """The nodes that go first, and whether the site has moved already: of a run that died, or
    of nodes that are behind what is live, those that serve the release go on serving it."""
    release = run.plan.going_live
    switch = run.known.switch
    if release == run.plan.before or (switch and switch.after == release):
        links = _links(run)
        there = [
            node
            for node in _pooled(run)
            if not differences(run.seen.nodes[node].version, node_links(run.settings, node, links))
        ]
        if there:
            return there, True
    return first_half(pool.web(run), _pooled(run)), False


def _staying(run: Run, first: list[str]) -> list[str]:
    """Those in the pool that serve until the site moves; who lacks databases does so too."""
    gone = {*first, *run.plan.absent}
    return [node for node in pool.serving(run) if node not in gone]


def _links(run: Run) -> dict[str, str]:
    """The links of the release; before it is made, a dry run has them from the plan."""
    return ReleaseRecord(run.plan.going_live, "", "", run.plan.databases, ()).links()


def _pooled(run: Run) -> list[str]:
    """The web nodes in the live pool that take part."""
    there = pool.web(run)
    return [node for node in pool.serving(run) if node in there]


def _has_moved(run: Run) -> bool:
    """Whether the pool shows the release that is given up. A node that says nothing, or
    nonsense, is no reason to touch those that serve."""
    switch = run.ledger.known().switch
    if switch is None:
        return False
    answers = switching.reports(run, pool.serving(run)).values()
    return any(
        answer["status"] == 200
        and isinstance(answer["body"], Mapping)
        and answer["body"].get("release") == str(switch.after)
        for answer in answers
    )


def _all_serve(run: Run, nodes: list[str], record: ReleaseRecord) -> bool:
    answers = switching.reports(run, nodes)
    return bool(answers) and all(
        answer["status"] == 200
        and not differences(answer["body"], node_links(run.settings, node, record.links()))
        for node, answer in answers.items()
    )


def _going_back(run: Run) -> bool:
    """What is left because it is bad is no measure of what it is left for."""
    return run.request.kind == "rollback"


def _compare(run: Run, first: list[str]) -> None:
    """Ask both halves the same at the same moment; StepFailed for what differs too much."""
    settings, others = run.settings.golive, pool.serving(run)
    slowest: dict[str, float] = {}
    for path in settings.canary_paths:
        answers = switching.ask(run, path, [*first, *others], measure=True)
        old = [answers[node] for node in others]
        for node in first:
            wrong = problem(old, answers[node], settings)
            if wrong:
                raise StepFailed(
                    f"{path} of {run.plan.release} {wrong}",
                    "the site has not moved; ask who made the webapp or the build, fix it, and "
                    "run the same command again (wormbase:golive:canary_paths are what is asked)",
                    node=node,
                )
            slowest[node] = max(slowest.get(node, 0.0), float(answers[node]["seconds"]))
    run.notes.measured("canary", slowest=slowest)


def _watch(run: Run) -> None:
    """StepFailed when more requests fail than before."""
    settings = run.settings.golive
    seen = run.fleet.one(
        run.settings.proxy,
        "wb_proxy.watch",
        "look at HAProxy there and run the same command again",
        seconds=settings.watch_seconds,
        percent=settings.errors_percent,
    )
    run.notes.measured("go_live", watched=seen)
    if seen["bad"]:
        before, after = seen["before"], seen["after"]
        raise StepFailed(
            f"{after['errors']} of {after['answers']} requests failed with {run.plan.release}, "
            f"{before['errors']} of {before['answers']} before it",
            "the site went back; look at the logs of the webapp, fix it, and run the same "
            "command again",
        )
