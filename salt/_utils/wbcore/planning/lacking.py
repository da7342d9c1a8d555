"""Which datasets nodes lack, by their roles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model.observations import Seen
from ..model.roles import wants
from ..settings import Settings


def present(settings: Settings, seen: Seen) -> tuple[str, ...]:
    """The nodes with datasets that answer."""
    return tuple(node for node in settings.serving if node not in seen.absent)


def lacks(
    settings: Settings, seen: Seen, datasets: Mapping[str, Mapping[str, Any]]
) -> dict[str, tuple[str, ...]]:
    """Those of these datasets that each node wants and does not hold verified.

    datasets
        Id → facts, with the ``digest`` once it is known.
    """
    digests = {dataset: facts.get("digest", "") for dataset, facts in datasets.items()}
    return {
        node: tuple(
            sorted(
                dataset
                for dataset, digest in digests.items()
                if wants(settings, node, dataset)
                and not _holds(seen.nodes[node].held, dataset, digest)
            )
        )
        for node in present(settings, seen)
    }


def _holds(held: Mapping[str, str], dataset: str, digest: str) -> bool:
    """Before a build is sealed its digests are not known, and the name has to do."""
    return dataset in held and digest in ("", held[dataset])
