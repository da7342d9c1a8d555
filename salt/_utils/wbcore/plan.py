"""What a request comes to: decided from what was observed, and from nothing else.

:func:`decide` is the one place that refuses a request or says what is left to do, so
that a run that died is taken up by deciding again.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from . import requests
from .contents import way_out
from .datasets import WEBAPP, Dataset
from .errors import BadData, BadRequest
from .golive import differences
from .names import Build, Release
from .requests import Request
from .retention import Used, ways_back
from .seen import Known, ReleaseRecord, Seen, node_links, wants
from .settings import Retention, Settings
from .verdicts import BAD, GATE


@dataclass(frozen=True)
class Plan:
    """What is left to do. ``pulls``: node → datasets it lacks; ``flips``: node → links to
    change (name → target); ``stale``: nodes whose servers serve something else than the
    release, or that the proxy does not let serve; ``present``: nodes that answer and hold
    datasets; ``lacking``: nodes that answer and do not hold what is needed, and nothing is
    going to be fetched: as those that are ``absent`` they catch up by themselves."""

    request: Request
    present: Sequence[str] = ()
    absent: Sequence[str] = ()
    lacking: Sequence[str] = ()
    release: Release | None = None
    before: Release | None = None
    databases: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pulls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    flips: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stale: Sequence[str] = ()
    announce: Sequence[str] = ()

    @property
    def idle(self) -> bool:
        """Whether everything asked for is so already."""
        return not (self.needs_pull or self.needs_golive or self.announce) and (
            self.request.kind not in (requests.PURGE, requests.ROLLBACK)
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """Nodes that take no part."""
        return (*self.absent, *self.lacking)

    @property
    def behind(self) -> list[str]:
        """Nodes that do not serve the release yet."""
        flipping = {node for node, links in self.flips.items() if links}
        return [node for node in self.present if node in flipping or node in self.stale]

    @property
    def seals(self) -> bool:
        """Whether the request is about a build on the development server."""
        forward = (requests.RELEASE, requests.PUSH, requests.GOLIVE)
        return self.request.kind in forward and not self.request.minor

    @property
    def needs_pull(self) -> bool:
        """Whether a node lacks a database."""
        return any(self.pulls.values())

    @property
    def needs_golive(self) -> bool:
        """Whether the release is not the live one yet, or a node does not serve it."""
        return self.release is not None and (self.release != self.before or bool(self.behind))

    def pull_bytes(self) -> dict[str, int]:
        """Bytes that each node lacks, uncompressed."""
        return {
            node: sum(self.sizes[dataset]["bytes"] for dataset in datasets)
            for node, datasets in self.pulls.items()
        }


def decide(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    """The plan for a request, or the error that refuses it."""
    deciders = {
        requests.ROLLBACK: _rollback,
        requests.PURGE: _purge,
        requests.ANNOUNCE: _announce,
    }
    decider = deciders.get(request.kind, _minor if request.minor else _forward)
    if request.kind in (requests.RELEASE, requests.GOLIVE, requests.ROLLBACK):
        _check_quorum(settings, seen)
    plan = decider(request, settings, known, seen, today)
    if plan.seals or request.minor:
        _check_verdicts(plan, known)
    return plan


def used(known: Known, retention: Retention | None = None) -> list[Used]:
    """The releases whose datasets must stay, each with the reason."""
    why: dict[Release, str] = {known.live: "it is live"} if known.live else {}
    for release in ways_back(known.stack):
        why.setdefault(release, "it is the way back")
    if known.switch:
        for changing in (known.switch.before, known.switch.after):
            if changing:
                why.setdefault(changing, "it is being switched")
    for release in known.releases:
        if retention and retention.pins(release.build):
            why.setdefault(release, "it is pinned")
    return [
        Used(release, reason, frozenset(known.releases[release].datasets))
        for release, reason in why.items()
    ]


def _forward(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    build = request.build
    assert build is not None
    _check_order(request, build, known)
    _check_staged(build, settings, seen, known)
    lacking = pulls(settings, seen)
    survey = seen.staging.survey
    pushed = Plan(
        request,
        _present(settings, seen),
        tuple(seen.absent),
        before=known.live,
        databases=dict(survey["databases"]),
        sizes=dict(survey["datasets"]),
        pulls=lacking,
    )
    if request.kind == requests.PUSH:
        return pushed
    _check_webapp(seen, settings)
    release = _name(build, known, seen, today)
    _check_revision(request, release, known)
    if request.kind == requests.GOLIVE:
        _check_pushed(build, lacking)
    links = _links(release, pushed.databases)
    return replace(
        pushed,
        release=release,
        flips=_flips(settings, seen, links),
        stale=_stale(settings, seen, links),
        announce=_announcements(request, known, release),
    )


def _minor(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    """A minor revision: the webapp alone, whatever has become of the databases since.

    Source: the wiki page, "Minor Revisions"."""
    build, live = request.build, known.live
    assert build is not None
    if live is None or live.build != build:
        raise BadRequest(
            f"{build} is not live ({live or 'nothing'} is), so it can not have a minor revision",
            f"release it first: orch.release pillar='{{build: {build}}}'",
        )
    _check_staging_answers(settings, seen)
    _check_webapp(seen, settings)
    release = _name(build, known, seen, today)
    record = known.releases[live]
    needed = [one for one in record.datasets if Dataset.parse(one).kind != WEBAPP]
    able, lacking = _holding(settings, seen, live, needed)
    links = _links(release, record.databases)
    return Plan(
        request,
        _present(settings, able),
        tuple(seen.absent),
        lacking,
        release=release,
        before=live,
        databases=record.databases,
        flips=_flips(settings, able, links),
        stale=_stale(settings, able, links),
    )


def _rollback(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    target = _way_back(known)
    record = known.releases[target]
    able, lacking = _holding(settings, seen, target, record.datasets)
    return Plan(
        request,
        _present(settings, able),
        tuple(seen.absent),
        lacking,
        release=target,
        before=known.live,
        databases=record.databases,
        flips=_flips(settings, able, record.links()),
        stale=_stale(settings, able, record.links()),
    )


def _way_back(known: Known) -> Release:
    """Where going back leads: where it led when it failed, or out of a change-over that died,
    or to the release before."""
    if known.going_back:
        return known.going_back
    if known.switch and known.switch.before:
        return known.switch.before
    if len(known.stack) < 2:
        raise BadRequest("there is no release to go back to", "see salt-run wb_release.history")
    return known.stack[-2]


def _purge(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    build = request.build
    assert build is not None
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
    return Plan(request, _present(settings, seen), tuple(seen.absent), before=known.live)


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
        _present(settings, seen),
        tuple(seen.absent),
        release=live,
        before=live,
        announce=[step for step in todo if step in ("post", "mail")],
    )


def _present(settings: Settings, seen: Seen) -> tuple[str, ...]:
    return tuple(node for node in settings.serving if node not in seen.absent)


def _holding(
    settings: Settings, seen: Seen, release: Release, datasets: Sequence[str]
) -> tuple[Seen, tuple[str, ...]]:
    """What was seen, as if those nodes did not answer that do not hold what they need of a
    release, and these nodes; BadData when too few web nodes are left."""
    lacks: dict[str, str] = {}
    for node in _present(settings, seen):
        for dataset in datasets:
            if wants(settings, node, dataset) and dataset not in seen.nodes[node].held:
                lacks.setdefault(node, dataset)
    able = replace(seen, absent=(*seen.absent, *lacks))
    if not _is_quorum(settings, able):
        node, dataset = next(iter(lacks.items()))
        raise BadData(
            f"{dataset} of {release} is not there, and too few web nodes have it",
            f"release a build again, restore the dataset, or, of what is live, run salt {node} "
            "state.apply",
            node=node,
        )
    return able, tuple(lacks)


def _is_quorum(settings: Settings, seen: Seen) -> bool:
    web = settings.having("web")
    there = [node for node in web if node not in seen.absent]
    return bool(there) and len(there) * 100 >= len(web) * settings.golive.quorum_percent


def _check_quorum(settings: Settings, seen: Seen) -> None:
    if not _is_quorum(settings, seen):
        web = settings.having("web")
        gone = [node for node in web if node in seen.absent]
        raise BadRequest(
            f"only {len(web) - len(gone)} of {len(web)} web nodes answer "
            f"({', '.join(gone)} do not)",
            "bring them back, or lower wormbase:golive:quorum_percent",
        )
    if settings.proxy in seen.absent:
        raise BadRequest(f"the proxy {settings.proxy} does not answer", "bring it back first")


def _check_verdicts(plan: Plan, known: Known) -> None:
    build = plan.request.build
    assert build is not None
    bad, hold = known.verdict(BAD, build), known.hold(build)
    if bad and not plan.idle:
        raise BadRequest(
            f"{build} is marked bad by {bad.who} ({bad.reason})",
            f"if it is not, run salt-run wb_release.good build={build}",
        )
    # One who was in the change-over when the hold came goes on: the site must not stay there.
    resumed = known.switch is not None and known.switch.after == plan.release
    if hold and plan.needs_golive and not resumed:
        which = f" build={build}" if hold.build else ""
        unhold = f"salt-run wb_release.unhold{which}"
        raise BadRequest(
            f"{hold.build or 'everything'} is held by {hold.who} ({hold.reason})",
            f"{way_out(build)}; if it was mended, {unhold} has it compared again"
            if hold.who == GATE
            else f"{unhold} lets it go live; orch.push is free to run",
        )


def _check_order(request: Request, build: Build, known: Known) -> None:
    live = known.live
    if live is not None and build < live.build:
        raise BadRequest(
            f"{build} is older than the live {live}",
            "to go back use orch.rollback; a build never goes live after a newer one",
        )


def _check_staged(build: Build, settings: Settings, seen: Seen, known: Known) -> None:
    _check_staging_answers(settings, seen)
    survey = seen.staging.survey
    if not survey.get("staged"):
        there = ", ".join(str(b) for b in sorted(map(Build.parse, seen.staging.builds)))
        raise BadRequest(
            f"{build} is not staged on {settings.staging}",
            f"stage it there, or name one that is: {there or 'there is none yet'}",
        )
    for sentence in survey.get("problems", ()):
        raise BadData(sentence, f"mend {build} on {settings.staging}", node=settings.staging)
    if survey.get("changed"):
        raise BadData(
            f"{build} was changed after it was sealed: {survey['changed'][0]}",
            "restore the file, or, if the change is meant and the build was never live, run "
            f"salt {settings.staging} wb_build.unseal {build}",
            node=settings.staging,
        )
    newest = seen.staging.newest
    if not survey.get("sealed") and newest is not None and build < newest:
        raise BadRequest(
            f"{build} was never sealed and {newest} is staged already, "
            "so nobody knows any more which databases were rebuilt for it",
            f"release {newest}",
        )


def _check_staging_answers(settings: Settings, seen: Seen) -> None:
    if settings.staging in seen.absent:
        raise BadRequest(
            f"{settings.staging} does not answer", "bring the development server back first"
        )


def _check_webapp(seen: Seen, settings: Settings) -> None:
    webapp = seen.staging.webapp
    if webapp.get("error"):
        raise BadData(webapp["error"], "mend website/staging", node=settings.staging)
    if webapp["modified"]:
        raise BadData(
            f"website/staging has an uncommitted change: {webapp['modified'][0]}",
            "commit or revert it, so that the revision names what is shipped",
            node=settings.staging,
        )
    if webapp["revision"] != webapp["tip"]:
        raise BadData(
            f"website/staging stands at revision {webapp['revision']}, its tip is {webapp['tip']}",
            "run hg update there first",
            node=settings.staging,
        )


def _check_revision(request: Request, release: Release, known: Known) -> None:
    live = known.live
    if live is None or live.build != release.build or live == release:
        return
    if not known.switch or known.switch.after != release:
        raise BadRequest(
            f"{live} is live and website/staging has moved to revision {release.revision}",
            "release the webapp alone: orch.release pillar="
            f"'{{build: {release.build}, minor: True}}'",
        )


def _check_pushed(build: Build, lacking: Mapping[str, Sequence[str]]) -> None:
    for node, datasets in lacking.items():
        if datasets:
            raise BadRequest(
                f"{build} is not complete on {node} ({datasets[0]} is missing)",
                f"push it first: orch.push pillar='{{build: {build}}}'",
            )


def _name(build: Build, known: Known, seen: Seen, today: datetime.date) -> Release:
    webapp = seen.staging.webapp
    made = known.made_of(build, webapp["webapp"], webapp["revision"])
    return made or Release(build, today, webapp["webapp"], webapp["revision"])


def pulls(settings: Settings, seen: Seen) -> dict[str, tuple[str, ...]]:
    """The databases of the build that each node lacks, by its roles."""
    digests = {
        dataset: facts.get("digest", "")
        for dataset, facts in seen.staging.survey["datasets"].items()
    }
    return {
        node: tuple(
            sorted(
                dataset
                for dataset, digest in digests.items()
                if wants(settings, node, dataset)
                and not _holds(seen.nodes[node].held, dataset, digest)
            )
        )
        for node in _present(settings, seen)
    }


def _holds(held: Mapping[str, str], dataset: str, digest: str) -> bool:
    """Before a build is sealed its digests are not known, and the name has to do."""
    return dataset in held and digest in ("", held[dataset])


def _links(release: Release, databases: Mapping[str, str]) -> dict[str, str]:
    return ReleaseRecord(release, "", "", databases, ()).links()


def _flips(settings: Settings, seen: Seen, links: Mapping[str, str]) -> dict[str, dict[str, str]]:
    flips = {}
    for node in _present(settings, seen):
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
        for node in _present(settings, seen)
        if seen.nodes[node].switch
        or ("web" in settings.nodes[node].roles and node not in serving)
        or differences(seen.nodes[node].version, node_links(settings, node, links))
    )


def _announcements(request: Request, known: Known, release: Release) -> list[str]:
    """What is left to tell the world; a minor revision of a build that was told is not."""
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
