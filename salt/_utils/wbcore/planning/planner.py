"""Decides what a request comes to, from what was observed, and from nothing else.

:func:`decide` is the one place that refuses a request or says what is left to do, so
that a run that died is taken up by deciding again.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace

from .. import requests
from ..datasets import WEBAPP, Dataset
from ..disk.retention import used
from ..errors import BadData, BadRequest
from ..golive.epoch import check_ledger
from ..golive.served import differences
from ..model.ledger_facts import Known, ReleaseRecord
from ..model.observations import Seen
from ..model.roles import node_links, wants
from ..names import Build, Release
from ..requests import Request
from ..settings import Settings
from . import adoption, preconditions
from .lacking import lacks, present
from .plan import Plan


def decide(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    """The plan for a request, or the error that refuses it."""
    deciders = {
        requests.ROLLBACK: _rollback,
        requests.PURGE: _purge,
        requests.ANNOUNCE: _announce,
        requests.ADOPT: adoption.decide,
    }
    check_ledger(known.epoch, seen.epochs, settings)
    decider = deciders.get(request.kind, _minor if request.minor else _forward)
    if request.kind in (requests.RELEASE, requests.GOLIVE, requests.ROLLBACK):
        preconditions.check_quorum(settings, seen)
    plan = decider(request, settings, known, seen, today)
    preconditions.check_verdicts(plan, known)
    preconditions.check_announcing(plan, settings, seen, known)
    return plan


def _forward(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    build = request.named
    preconditions.check_order(request, build, known)
    preconditions.check_staged(build, settings, seen, known)
    plan = Plan(request, present(settings, seen), tuple(seen.absent), before=known.live)
    if request.kind == requests.PUSH:
        return surveyed(plan, settings, seen)
    preconditions.check_webapp(seen, settings)
    release = _name(build, known, seen, today)
    preconditions.check_revision(request, release, known)
    plan = surveyed(replace(plan, release=release), settings, seen)
    if request.kind == requests.GOLIVE:
        preconditions.check_pushed(build, plan.pulls)
    return replace(plan, announce=_announcements(request, known, release))


def surveyed(plan: Plan, settings: Settings, seen: Seen) -> Plan:
    """A plan for the build as the survey in ``seen`` has it.

    Sealing is the last look at the build, and what it recorded counts: a link of the
    development server may have moved, or a dataset changed, since the plan was made.
    """
    survey = seen.staging.survey
    fetched = replace(
        plan,
        databases=dict(survey["databases"]),
        sizes=dict(survey["datasets"]),
        pulls=lacks(settings, seen, survey["datasets"]),
    )
    if plan.release is None:
        return fetched
    links = _links(plan.release, fetched.databases)
    return replace(
        fetched, flips=_flips(settings, seen, links), stale=_stale(settings, seen, links)
    )


def _minor(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    """A minor revision: the webapp alone, whatever has become of the databases since.

    Source: the wiki page, "Minor Revisions"."""
    build, live = request.named, known.live
    if live is None or live.build != build:
        raise BadRequest(
            f"{build} is not live ({live or 'nothing'} is), so it can not have a minor revision",
            f"release it first: orch.release pillar='{{build: {build}}}'",
        )
    preconditions.check_staging_answers(settings, seen)
    preconditions.check_webapp(seen, settings)
    release = _name(build, known, seen, today)
    record = known.releases[live]
    needed = [one for one in record.datasets if Dataset.parse(one).kind != WEBAPP]
    able, lacking = _holding(settings, seen, live, needed)
    return _switch_alone(request, settings, known, able, lacking, release, record.databases)


def _rollback(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    target = _way_back(known)
    record = known.releases[target]
    able, lacking = _holding(settings, seen, target, record.datasets)
    return _switch_alone(request, settings, known, able, lacking, target, record.databases)


def _switch_alone(
    request: Request,
    settings: Settings,
    known: Known,
    able: Seen,
    lacking: Sequence[str],
    release: Release,
    databases: Mapping[str, str],
) -> Plan:
    """A release goes live of which nothing is fetched, on the nodes that are able."""
    links = _links(release, databases)
    return Plan(
        request,
        present(settings, able),
        tuple(node for node in able.absent if node not in lacking),
        lacking,
        release=release,
        before=known.live,
        databases=databases,
        flips=_flips(settings, able, links),
        stale=_stale(settings, able, links),
    )


def _way_back(known: Known) -> Release:
    """Where going back leads: where it led when it failed, or out of a change-over that died,
    or to the release before whose build is not marked bad."""
    if known.going_back:
        return known.going_back
    if known.switch and known.switch.before:
        return known.switch.before
    if len(known.stack) < 2:
        raise BadRequest("there is no release to go back to", "see salt-run wb_release.history")
    good = known.good_before()
    if not good:
        build = known.stack[-2].build
        raise BadRequest(
            f"{build}, which was live before, is marked bad, and nothing else was live",
            f"if it may serve all the same, run salt-run wb_release.good build={build}",
        )
    return good[0]


def _purge(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    build = request.named
    for one in used(known, settings.retention):
        if one.build == build:
            raise BadRequest(
                f"{build} can not be purged, since {one.by} uses it ({one.why})",
                "purge an older build; salt-run wb_release.status shows what is live",
            )
    if settings.retention.pins(build):
        raise BadRequest(
            f"{build} can not be purged, since it is pinned",
            "take it out of wormbase:retention:pinned first"
            if str(build) in settings.retention.pinned
            else "see wormbase:retention:pinned_every",
        )
    return Plan(request, present(settings, seen), tuple(seen.absent), before=known.live)


def _announce(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    live = known.live
    if live is None or live.build != request.build:
        raise BadRequest(
            f"{request.build} is not live, so it can not be announced",
            f"the live release is {live or 'none'}",
        )
    todo = _announcements(Request(requests.RELEASE, request.build), known, live)
    return Plan(
        request,
        present(settings, seen),
        tuple(seen.absent),
        release=live,
        before=live,
        announce=[step for step in todo if step in ("post", "mail")],
    )


def _holding(
    settings: Settings, seen: Seen, release: Release, datasets: Sequence[str]
) -> tuple[Seen, tuple[str, ...]]:
    """What was seen, as if those nodes did not answer that do not hold what they need of a
    release, and these nodes; BadData when too few web nodes are left."""
    lacks: dict[str, str] = {}
    for node in present(settings, seen):
        for dataset in datasets:
            if wants(settings, node, dataset) and dataset not in seen.nodes[node].held:
                lacks.setdefault(node, dataset)
    able = replace(seen, absent=(*seen.absent, *lacks))
    if not preconditions.is_quorum(settings, able):
        node, dataset = next(iter(lacks.items()))
        raise BadData(
            f"{dataset} of {release} is not there, and too few web nodes have it",
            f"release a build again, restore the dataset, or, of what is live, run salt {node} "
            "state.apply",
            node=node,
        )
    return able, tuple(lacks)


def _name(build: Build, known: Known, seen: Seen, today: datetime.date) -> Release:
    webapp = seen.staging.webapp
    made = known.made_of(build, webapp["webapp"], webapp["revision"])
    return made or Release(build, today, webapp["webapp"], webapp["revision"])


def _links(release: Release, databases: Mapping[str, str]) -> dict[str, str]:
    return ReleaseRecord(release, "", "", databases, ()).links()


def _flips(settings: Settings, seen: Seen, links: Mapping[str, str]) -> dict[str, dict[str, str]]:
    flips = {}
    for node in present(settings, seen):
        have = seen.nodes[node].links
        wanted = node_links(settings, node, links)
        flips[node] = {name: to for name, to in wanted.items() if have.get(name) != to}
    return flips


def _stale(settings: Settings, seen: Seen, links: Mapping[str, str]) -> tuple[str, ...]:
    """Nodes that began a switch and did not end it, whose servers have not followed, or that
    the proxy does not let serve."""
    pools = seen.proxy.get("pools", {})
    serving = pools.get(seen.proxy.get("live"), settings.having("web"))
    return tuple(
        node
        for node in present(settings, seen)
        if seen.nodes[node].switch
        or ("web" in settings.nodes[node].roles and node not in serving)
        or differences(seen.nodes[node].version, node_links(settings, node, links))
    )


def _announcements(request: Request, known: Known, release: Release) -> list[str]:
    """What is left to announce; a minor revision of a build that was announced is not."""
    if request.kind != requests.RELEASE:
        return []
    told = [one for one in known.stack if one.build == release.build]
    records = [known.releases[one] for one in {*told, release} if one in known.releases]
    done = {
        "publish": any(record.published for record in records),
        "post": any(record.posted for record in records),
        "mail": any(record.mailed for record in records),
    }
    return [step for step, is_done in done.items() if not is_done]
