"""What of the old releases may go, in which order, and why the rest stays.

Source: the wiki page, "Purge old builds"; what it removed whatever was live is
protected here by what each release uses.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ..datasets import Dataset
from ..model.ledger_facts import Known
from ..names import Build, Release
from ..settings import Retention
from ..verdicts import BAD


@dataclass(frozen=True)
class Used:
    """Who needs datasets (a release; a build that is pulled): why, and the ids of them."""

    by: Release | Build
    why: str
    datasets: frozenset[str]

    @property
    def build(self) -> Build:
        """The build that it is about."""
        return self.by if isinstance(self.by, Build) else self.by.build


@dataclass(frozen=True)
class Removal:
    """What goes from a node and what stays: dataset id → reason."""

    remove: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)


def ways_back(known: Known) -> list[Release]:
    """The releases to go back to: the one before the live one and, after minor revisions,
    the last release of the previous build. None of a build that is marked bad."""
    earlier = known.good_before()
    other_build = [release for release in earlier if release.build != known.stack[-1].build]
    return list(dict.fromkeys([*earlier[:1], *other_build[:1]]))


def used(known: Known, retention: Retention | None = None) -> list[Used]:
    """The releases whose datasets must stay, each with the reason."""
    why: dict[Release, str] = {known.live: "it is live"} if known.live else {}
    for release in ways_back(known):
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


def removal(found: Iterable[str], build: Build, used: Iterable[Used]) -> Removal:
    """What of ``build`` can be removed from a node that has the datasets ``found``."""
    reasons: dict[str, str] = {}
    for one in used:
        for dataset in one.datasets:
            reasons.setdefault(dataset, f"{one.by} uses it ({one.why})")
    of_build = sorted(dataset for dataset in found if Dataset.parse(dataset).build == build)
    return Removal(
        tuple(dataset for dataset in of_build if dataset not in reasons),
        {dataset: reasons[dataset] for dataset in of_build if dataset in reasons},
    )


def may_go(
    builds: Iterable[Build], known: Known, retention: Retention, in_use: Collection[Build] = ()
) -> list[Build]:
    """The builds that may go when room is needed, in the order in which they do: those that
    are marked bad, then those older than the live one; of each the oldest first.

    Never one that is live, a way back, being switched, pinned, or ``in_use`` by a run.
    """
    live = known.live
    needed = _needed(known) | set(in_use)
    free = {build for build in builds if build not in needed and not retention.pins(build)}
    bad = {build for build in free if known.verdict(BAD, build)}
    old = {build for build in free if live is not None and build < live.build}
    return sorted(bad) + sorted(old - bad)


def expired(
    builds: Iterable[Build], known: Known, retention: Retention, in_use: Collection[Build] = ()
) -> list[Build]:
    """The builds whose time is over, whatever room there is: all that may go but the ``keep``
    newest of the good ones."""
    going = may_go(builds, known, retention, in_use)
    good = [build for build in going if not known.verdict(BAD, build)]
    kept = good[max(0, len(good) - retention.keep) :]
    return [build for build in going if build not in kept]


def _needed(known: Known) -> set[Build]:
    needed = [*known.stack[-1:], *ways_back(known)]
    if known.switch:
        needed += [one for one in (known.switch.before, known.switch.after) if one]
    return {release.build for release in needed}
