"""Who fetches from whom: one trip to each site, then from sibling to sibling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..settings import Settings


@dataclass(frozen=True)
class Leg:
    """One node's part: whom to ask, in this order, and whom to wait for.

    ``entry`` marks the node through which the data enter its site.
    """

    node: str
    sources: tuple[str, ...]
    after: str = ""
    entry: bool = False


def route(
    settings: Settings, lacking: Mapping[str, Sequence[str]], complete: Sequence[str] = ()
) -> list[Leg]:
    """The legs of all nodes that lack something, each behind the one it waits for.

    ``complete`` are nodes that have everything already. Within a site the nodes form a
    binary tree below those and the one that lacks most: whoever has the data hands them
    on to two others, so that no one node serves all. Every list of sources ends with the
    development server, so that any other may fail.
    """
    legs: list[Leg] = []
    sites = dict.fromkeys(settings.nodes[node].site for node in lacking)
    for site in sites:
        ready = [node for node in complete if settings.nodes[node].site == site]
        members = [node for node in lacking if settings.nodes[node].site == site]
        members.sort(key=lambda node: -len(lacking[node]))
        chain = ready + members
        for position, node in enumerate(chain):
            if node in members:
                legs.append(_leg(settings.staging, chain, position, ready))
    return legs


def _leg(staging: str, chain: Sequence[str], position: int, ready: Sequence[str]) -> Leg:
    node = chain[position]
    if position == 0:
        return Leg(node, (staging,), entry=True)
    parent = chain[(position - 1) // 2]
    sources = tuple(dict.fromkeys((parent, chain[0], staging)))
    return Leg(node, sources, after="" if parent in ready else parent)
