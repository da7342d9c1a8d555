"""What a node holds and serves, by its roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..datasets import Dataset
from ..settings import Settings


def wanted_kinds(roles: Sequence[str]) -> set[str]:
    """The kinds of datasets that a node with these roles holds."""
    kinds = {role for role in roles if role in ("acedb", "mysql", "support")}
    return kinds | ({"webapp"} if "web" in roles else set())


def wants(settings: Settings, node: str, dataset: str) -> bool:
    """Whether a node needs a dataset, by its roles; ``blast`` and ``blat`` go to the data
    mining node alone (docs/field.md, "support")."""
    roles = settings.nodes[node].roles
    parsed = Dataset.parse(dataset)
    if parsed.kind == "support" and parsed.folder in settings.datasets.mining_only:
        return "mining" in roles
    return parsed.kind in wanted_kinds(roles)


def node_links(settings: Settings, node: str, links: Mapping[str, str]) -> dict[str, str]:
    """The live links of a release that a node has, by its roles."""
    kinds = wanted_kinds(settings.nodes[node].roles)
    names = {"production": "webapp"}
    return {
        name: target
        for name, target in links.items()
        if names.get(name, name.partition("/")[0]) in kinds
    }
