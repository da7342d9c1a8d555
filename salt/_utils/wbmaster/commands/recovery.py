"""Bringing a ledger that is an old copy, or was lost, up to date from what the nodes hold."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from wbcore.datasets import ACEDB, MYSQL, SUPPORT, WEBAPP, Dataset
from wbcore.errors import BadRequest, Busy, StepFailed
from wbcore.golive import epoch
from wbcore.model import proxy_pools
from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.model.links import PRODUCTION
from wbcore.model.observations import NodeSeen, Seen
from wbcore.names import Release

from .. import run
from ..golive import epochs
from ..nodes.observe import observe
from ..office import Office

REQUEST = "wb_release.recover_ledger"
HELD = "the ledger was recovered, and what was decided after its copy was made is not known"


def recover(office: Office, test: bool) -> dict[str, Any]:
    """Record what the web nodes serve as what is live, end what the copy calls at work, and
    begin an epoch. Nothing goes live until a person lifts the hold that it leaves, since the
    ledger may have forgotten which builds were bad or left. No node is changed.

    test
        Only say what would be recorded.
    """
    identity = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-recover-{os.getpid()}"
    if not office.lock.take({**run.holder(), "run": identity, "request": REQUEST}):
        raise Busy(
            f"{office.lock.holder().get('request') or 'a run'} is running",
            "wait until it has ended",
        )
    try:
        return _recover(office, identity, test)
    finally:
        office.lock.release()


def _recover(office: Office, identity: str, test: bool) -> dict[str, Any]:
    seen, known = observe(office.fleet, office.settings, None), office.ledger.known()
    reached = epoch.reached(seen.epochs, office.settings)
    if reached <= known.epoch:
        return {"ledger": f"it is no old copy: its epoch is {known.epoch}, theirs {reached}"}
    live = _served(office, seen)
    record = _record(office, seen, live)
    said = {
        "ledger": f"it ends at epoch {known.epoch}, and the nodes are at {reached}",
        "live": {"ledger": str(known.live or ""), "nodes": str(live)},
        "datasets": list(record.datasets),
    }
    if test:
        return {**said, "recorded": False}
    office.ledger.recover(record, reached + 1, identity, run.who(), HELD)
    epochs.tell(office.fleet, list(seen.epochs), reached + 1)
    return {**said, "recorded": True, "next": "salt-run wb_release.unhold, once it is checked"}


def _served(office: Office, seen: Seen) -> Release:
    """The release that most of the nodes in the live pool serve whole."""
    proxy = office.settings.proxy
    if proxy in seen.absent:
        raise BadRequest(f"the proxy {proxy} {seen.away(proxy)}", "bring it back first")
    pooled = seen.proxy["pools"][seen.proxy["live"]]
    versions = [seen.nodes[node].version for node in pooled if node in seen.nodes]
    served = Counter(str(version["release"]) for version in versions if proxy_pools.whole(version))
    if not served:
        raise StepFailed(
            "no web node in the live pool serves a whole release",
            "bring one of them back first: salt-run wb_release.status",
        )
    return Release.parse(served.most_common(1)[0][0])


def _record(office: Office, seen: Seen, live: Release) -> ReleaseRecord:
    """The record of a release, of what those nodes hold that serve it."""
    serving = {
        node: one for node, one in seen.nodes.items() if one.links.get(PRODUCTION) == str(live)
    }
    databases = {
        name.removeprefix(f"{MYSQL}/"): target
        for one in serving.values()
        for name, target in one.links.items()
        if name.startswith(f"{MYSQL}/")
    }
    answers = office.fleet.ask(list(serving), "wb_dataset.manifests")
    manifests = [answer.value for answer in answers.values() if answer.good]
    return ReleaseRecord(
        live,
        _most(manifests, str(live)),
        _most(manifests, str(live.build)),
        databases,
        sorted(_datasets(serving.values(), live, set(databases.values()))),
    )


def _datasets(nodes: Iterable[NodeSeen], live: Release, databases: set[str]) -> set[str]:
    held = {dataset: Dataset.parse(dataset) for one in nodes for dataset in one.held}

    def used(one: Dataset) -> bool:
        return {
            ACEDB: one.build == live.build,
            MYSQL: one.name in databases,
            SUPPORT: one.build == live.build,
            WEBAPP: one.name == str(live),
        }[one.kind]

    return {name for name, dataset in held.items() if used(dataset)}


def _most(manifests: Iterable[Mapping[str, str]], name: str) -> str:
    """The digest that most nodes have of a manifest."""
    found = Counter(one[name] for one in manifests if name in one)
    if not found:
        raise StepFailed(
            f"no web node that serves it has the manifest of {name}",
            "look at the web nodes' minions: salt-run wb_release.status",
        )
    return found.most_common(1)[0][0]
