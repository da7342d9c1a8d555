"""What has to be live on a node, for the states that enforce it."""

from __future__ import annotations

from typing import Any

from ..names import Build
from ..settings import Settings
from .downloads import DEVELOPMENT, PRODUCTION
from .ledger_facts import Known, ReleaseRecord
from .roles import node_links, wants


def of_node(settings: Settings, known: Known, node: str) -> dict[str, Any]:
    """The desired release of a node; empty before the first release.

    ``going_live`` says that a change-over is under way, in which links are not touched;
    ``web`` is told to the proxy: the live links of each web node. ``downloads`` is told to the
    development server: which build the links of the download tree lead to.
    ``epoch`` tells a node that was told a later one that the ledger is an old copy.
    """
    if known.live is None:
        return {"going_live": True} if known.switch else {}
    record = known.releases[known.live]
    return {
        "release": str(known.live),
        "build": str(known.live.build),
        "webapp": str(known.live),
        "manifests": {
            str(known.live.build): record.build_digest,
            str(known.live): record.digest,
        },
        "datasets": [dataset for dataset in record.datasets if wants(settings, node, dataset)],
        "links": node_links(settings, node, record.links()),
        "sources": sources(settings, node),
        "going_live": known.switch is not None,
        "epoch": known.epoch,
        **_of_proxy(settings, known, node, record),
        **_of_staging(settings, known, node, known.live.build),
    }


def _of_proxy(settings: Settings, known: Known, node: str, record: ReleaseRecord) -> dict[str, Any]:
    """What each web node that may serve has to serve, for the proxy alone."""
    if node != settings.proxy:
        return {}
    links = record.links()
    web = [one for one in settings.having("web") if one != known.resting]
    return {"web": {one: node_links(settings, one, links) for one in web}}


def _of_staging(settings: Settings, known: Known, node: str, live: Build) -> dict[str, Any]:
    if node not in settings.having("staging"):
        return {}
    builds = {PRODUCTION: live, DEVELOPMENT: known.newest}
    return {"downloads": {kind: str(build) for kind, build in builds.items() if build}}


def sources(settings: Settings, node: str) -> list[dict[str, str]]:
    """Where a node fetches from, ``{node, address}``: siblings of its site first, the
    development server last."""
    site = settings.nodes[node].site
    siblings = [
        name
        for name in settings.serving
        if name not in (node, settings.staging) and settings.nodes[name].site == site
    ]
    return [
        {"node": name, "address": settings.nodes[name].address}
        for name in [*siblings, settings.staging]
    ]
