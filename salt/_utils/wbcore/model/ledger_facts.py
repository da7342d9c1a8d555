"""What the ledger knows: the releases that were live or made, and an open change-over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..names import Build, Release
from ..verdicts import BAD, HOLD, Verdict


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
    the web node that is out of the pool while something is restarted on it; and the newest
    build that landed."""

    stack: Sequence[Release] = ()
    releases: Mapping[Release, ReleaseRecord] = field(default_factory=dict)
    switch: Switch | None = None
    going_back: Release | None = None
    verdicts: Sequence[Verdict] = ()
    epoch: int = 0
    resting: str = ""
    landed: Build | None = None

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

    @property
    def newest(self) -> Build | None:
        """The newest build that landed, or was released since; None before any landed, since
        the builders may not say then which builds there are."""
        if self.landed is None:
            return None
        return max([self.landed, *(release.build for release in self.releases)])

    def made_of(self, build: Build, webapp: str, revision: int) -> Release | None:
        """The release made of this build and revision before, whatever its date."""
        for release in self.releases:
            if (release.build, release.webapp, release.revision) == (build, webapp, revision):
                return release
        return None
