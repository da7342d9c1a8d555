"""What taking over a cluster comes to that serves already: what is live by its links, whether
all nodes agree, and what of it no node has verified yet."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..build.manifest import together
from ..datasets import MYSQL, WEBAPP
from ..errors import BadData, BadRequest
from ..model.ledger_facts import Known, ReleaseRecord
from ..model.links import PRODUCTION, dataset_of
from ..model.observations import Seen
from ..model.roles import node_links
from ..names import Release
from ..requests import Request
from ..settings import Settings
from .lacking import lacks, present
from .plan import Plan

_WAY_OUT = "nothing was changed; fix it, and run the same command again"


@dataclass(frozen=True)
class Live:
    """What is live by the links of most nodes; ``problems`` names those that disagree.

    databases
        Database → its directory.
    """

    release: Release | None
    databases: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def found(settings: Settings, seen: Seen) -> Live:
    """What is live on the nodes that answer. Links to what is no dataset are not ours."""
    release = _release(settings, seen)
    if release is None:
        return Live(None)
    names = {name for one in seen.nodes.values() for name in one.links}
    databases = {
        name.removeprefix(f"{MYSQL}/"): target
        for name in sorted(names)
        if name.startswith(f"{MYSQL}/") and (target := _most(settings, seen, name))
    }
    links = ReleaseRecord(release, "", "", databases, ()).links()
    return Live(release, databases, tuple(_odd(settings, seen, links)))


def webapp(release: Release) -> str:
    """The dataset of a release's webapp."""
    return f"{WEBAPP}/{release}"


def decide(
    request: Request, settings: Settings, known: Known, seen: Seen, today: datetime.date
) -> Plan:
    """The plan of a takeover; one error that names everything in its way."""
    live = found(settings, seen)
    problems = [*_absent(settings, seen), *live.problems]
    if live.release is None:
        problems.append("the link production of no web node leads to a release")
    else:
        problems += [*_ledger(known, live.release), *_staged(settings, seen, live)]
    if problems or live.release is None:
        raise BadData(together(problems), _WAY_OUT)
    size = {"files": 0, "bytes": 0}
    sizes = {**seen.staging.survey["datasets"], webapp(live.release): size}
    return Plan(
        request,
        present(settings, seen),
        release=live.release,
        before=known.live,
        databases=live.databases,
        sizes=sizes,
        reads=lacks(settings, seen, sizes),
        settles=_settles(settings, seen),
    )


def _settles(settings: Settings, seen: Seen) -> list[str]:
    """The nodes that were never brought to their states. The proxy comes last: it asks the web
    nodes what they serve."""
    new = [node for node in settings.nodes if node in seen.nodes and not seen.nodes[node].settled]
    return sorted(new, key=lambda node: node == settings.proxy)


def _release(settings: Settings, seen: Seen) -> Release | None:
    target = _most(settings, seen, PRODUCTION)
    return Release.parse(target) if target else None


def _most(settings: Settings, seen: Seen, name: str) -> str:
    """Where a link leads on most of the nodes that have a use for it; '' for nowhere, and for
    what is no dataset."""
    wanted = [node for node in present(settings, seen) if node_links(settings, node, {name: ""})]
    targets = Counter(seen.nodes[node].links.get(name, "") for node in wanted)
    target = targets.most_common(1)[0][0] if targets else ""
    try:
        return dataset_of(name, target).name
    except BadRequest:
        return ""


def _odd(settings: Settings, seen: Seen, links: Mapping[str, str]) -> Iterable[str]:
    """Links that lead elsewhere than those of the other nodes, a sentence each."""
    for node in present(settings, seen):
        have = seen.nodes[node].links
        for name, target in node_links(settings, node, links).items():
            if have.get(name) != target:
                leads = f"leads to {have[name]}" if name in have else "is missing"
                yield f"{node}: the link {name} {leads}, and belongs to {target}, as elsewhere"


def _absent(settings: Settings, seen: Seen) -> Iterable[str]:
    return (f"{node} {seen.away(node)}; every node is needed" for node in seen.absent)


def _ledger(known: Known, release: Release) -> Iterable[str]:
    if known.switch:
        yield f"the change-over to {known.switch.after} has not ended; give its command again"
    elif known.live not in (None, release):
        yield (
            f"{known.live} is live by the ledger, and the nodes have {release}: they are not "
            "adopted, but brought back by salt '*' state.apply"
        )


def _staged(settings: Settings, seen: Seen, live: Live) -> Iterable[str]:
    """What keeps the development server from vouching for what is live."""
    if settings.staging in seen.absent or live.release is None:
        return
    build, survey = live.release.build, seen.staging.survey
    if not survey.get("staged"):
        yield (
            f"{settings.staging} does not have {build}, which is live: copy acedb/wormbase_{build} "
            f"and databases/{build} there from a node"
        )
        return
    yield from survey["problems"]
    if survey["sealed"] and dict(survey["databases"]) != dict(live.databases):
        yield (
            f"{build} was sealed with other databases than are live; run "
            f"salt {settings.staging} wb_build.unseal {build}"
        )
    if survey["changed"]:
        yield (
            f"{build} was changed on {settings.staging} after it was sealed: "
            f"{survey['changed'][0]}; restore the file"
        )
