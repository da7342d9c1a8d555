"""What was observed: of the ledger, of the development server, of every node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..datasets import Dataset
from ..names import Build, Release
from ..settings import Settings
from ..verdicts import BAD, HOLD, Verdict


@dataclass(frozen=True)
class NodeSeen:
    """A node with datasets: what it holds (id → digest), its live links, its answer to
    ``/version``, the switch that it began and did not end, and its free disk by kind."""

    held: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    version: Mapping[str, Any] = field(default_factory=dict)
    switch: Mapping[str, Any] = field(default_factory=dict)
    free: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class StagingSeen:
    """The development server: builds there (name → landed), a survey of the one asked
    for, and what stands in ``website/staging``."""

    builds: Mapping[str, bool] = field(default_factory=dict)
    survey: Mapping[str, Any] = field(default_factory=dict)
    webapp: Mapping[str, Any] = field(default_factory=dict)

    @property
    def newest(self) -> Build | None:
        """The newest build that is staged."""
        return max((Build.parse(name) for name in self.builds), default=None)


@dataclass(frozen=True)
class ReleaseRecord:
    """A release in the ledger: digests, what it uses, what was done with it."""

    release: Release
    digest: str
    build_digest: str
    databases: Mapping[str, str]
    datasets: Sequence[str]
    published: bool = False
    posted: bool = False
    mailed: bool = False

    def links(self) -> dict[str, str]:
        """Every live link of the release and its target."""
        databases = {f"mysql/{name}": target for name, target in self.databases.items()}
        return {
            "acedb": f"wormbase_{self.release.build}",
            **databases,
            "production": str(self.release),
        }


@dataclass(frozen=True)
class Switch:
    """A change-over that was begun and has not passed its checks yet."""

    run: str
    before: Release | None
    after: Release


@dataclass(frozen=True)
class Known:
    """What the ledger knows: the releases that were live, oldest first, the releases that
    were made, a change-over that did not end, and where the newest run leads if it goes
    back and did not end well: asked for again it must not go one release further; the epoch;
    and the web node that is out of the pool while something is restarted on it."""

    stack: Sequence[Release] = ()
    releases: Mapping[Release, ReleaseRecord] = field(default_factory=dict)
    switch: Switch | None = None
    going_back: Release | None = None
    verdicts: Sequence[Verdict] = ()
    epoch: int = 0
    resting: str = ""

    def verdict(self, kind: str, build: Build | None) -> Verdict | None:
        """What was said of this kind about exactly this build, or about all (None)."""
        found = (one for one in self.verdicts if (one.kind, one.build) == (kind, build))
        return next(found, None)

    def hold(self, build: Build) -> Verdict | None:
        """What keeps a build from going live: a hold of everything, or one of its own."""
        return self.verdict(HOLD, None) or self.verdict(HOLD, build)

    def good_before(self) -> list[Release]:
        """The releases that were live before the live one, the latest first, without those of
        builds that are marked bad."""
        earlier = reversed(self.stack[:-1])
        return [release for release in earlier if not self.verdict(BAD, release.build)]

    @property
    def live(self) -> Release | None:
        """The release that is live."""
        return self.stack[-1] if self.stack else None

    def made_of(self, build: Build, webapp: str, revision: int) -> Release | None:
        """The release made of this build and revision before, whatever its date."""
        for release in self.releases:
            if (release.build, release.webapp, release.revision) == (build, webapp, revision):
                return release
        return None


@dataclass(frozen=True)
class Seen:
    """Everything a decision is made of; ``absent`` are the nodes that did not answer, or
    answered with an error, which ``troubles`` holds (node → why): what they hold is not known,
    and one such node must not keep the others from a release, or from going back. ``epochs``
    are those that nodes were told last."""

    nodes: Mapping[str, NodeSeen]
    staging: StagingSeen
    proxy: Mapping[str, Any] = field(default_factory=dict)
    absent: Sequence[str] = ()
    troubles: Mapping[str, str] = field(default_factory=dict)
    epochs: Mapping[str, int] = field(default_factory=dict)

    def away(self, node: str) -> str:
        """Why an absent node counts as absent, as the end of a sentence about it."""
        why = self.troubles.get(node)
        return f"can not tell what it holds: {why}" if why else "does not answer"


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
