"""What of the old releases may go, and why the rest stays.

Source: the wiki page, "Purge old builds"; what it removed whatever was live is
protected here by what each release uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .datasets import Dataset
from .names import Build, Release


@dataclass(frozen=True)
class Used:
    """A release that must stay whole: why, and the ids of its datasets."""

    release: Release
    why: str
    datasets: frozenset[str]


@dataclass(frozen=True)
class Removal:
    """What goes from a node and what stays: dataset id → reason."""

    remove: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)


def ways_back(stack: Sequence[Release]) -> list[Release]:
    """The releases to go back to: the one before the live one and, after minor revisions,
    the last release of the previous build. ``stack`` is what was live, oldest first."""
    if len(stack) < 2:
        return []
    live, before = stack[-1], stack[-2]
    other_build = [release for release in reversed(stack[:-1]) if release.build != live.build]
    return list(dict.fromkeys([before, *other_build[:1]]))


def removal(found: Iterable[str], build: Build, used: Iterable[Used]) -> Removal:
    """What of ``build`` can be removed from a node that has the datasets ``found``."""
    reasons: dict[str, str] = {}
    for release in used:
        for dataset in release.datasets:
            reasons.setdefault(dataset, f"{release.release} uses it ({release.why})")
    of_build = sorted(dataset for dataset in found if Dataset.parse(dataset).build == build)
    return Removal(
        tuple(dataset for dataset in of_build if dataset not in reasons),
        {dataset: reasons[dataset] for dataset in of_build if dataset in reasons},
    )


def expired(
    builds: Iterable[Build], stack: Sequence[Release], keep: int, pinned: Iterable[Build]
) -> list[Build]:
    """The builds whose time is over: older than the live one, no way back, not pinned,
    and not among the ``keep`` newest of those."""
    if not stack:
        return []
    needed = {stack[-1].build, *(release.build for release in ways_back(stack)), *pinned}
    old = sorted({build for build in builds if build < stack[-1].build} - needed, reverse=True)
    return sorted(old[keep:])
