"""What a request comes to: what is left to do, on which nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .. import requests
from ..errors import BadRequest
from ..names import Release
from ..requests import Request
from ..settings import Settings


@dataclass(frozen=True)
class Plan:
    """What is left to do. ``pulls``: node → datasets it lacks; ``flips``: node → links to
    change (name → target); ``stale``: nodes whose servers serve something else than the
    release, or that the proxy does not let serve; ``present``: nodes that answer and hold
    datasets; ``lacking``: nodes that answer and do not hold what is needed, and nothing is
    going to be fetched: as those that are ``absent`` they catch up by themselves; ``reads``:
    node → datasets that lie there unverified and are adopted; ``settles``: the nodes that are
    brought to their states then, for the first time."""

    request: Request
    present: Sequence[str] = ()
    absent: Sequence[str] = ()
    lacking: Sequence[str] = ()
    release: Release | None = None
    before: Release | None = None
    databases: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pulls: Mapping[str, Sequence[str]] = field(default_factory=dict)
    flips: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stale: Sequence[str] = ()
    announce: Sequence[str] = ()
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    settles: Sequence[str] = ()

    @property
    def going_live(self) -> Release:
        """The release that goes live; BadRequest for a request that makes none live."""
        if self.release is None:
            raise BadRequest(f"{self.request} makes no release live", "use orch.release")
        return self.release

    @property
    def idle(self) -> bool:
        """Whether everything asked for is so already."""
        if self.request.kind == requests.ADOPT:
            adopted = self.release == self.before and not any(self.reads.values())
            return adopted and not self.settles
        return not (self.needs_pull or self.needs_golive or self.announce) and (
            self.request.kind not in (requests.PURGE, requests.ROLLBACK)
        )

    @property
    def left_out(self) -> tuple[str, ...]:
        """Nodes that take no part."""
        return (*self.absent, *self.lacking)

    @property
    def behind(self) -> list[str]:
        """Nodes that do not serve the release yet."""
        flipping = {node for node, links in self.flips.items() if links}
        return [node for node in self.present if node in flipping or node in self.stale]

    @property
    def seals(self) -> bool:
        """Whether the request is about a build on the development server."""
        forward = (requests.RELEASE, requests.PUSH, requests.GOLIVE)
        return self.request.kind in forward and not self.request.minor

    @property
    def needs_pull(self) -> bool:
        """Whether a node lacks a database."""
        return any(self.pulls.values())

    @property
    def needs_golive(self) -> bool:
        """Whether the release is not the live one yet, or a node does not serve it. What is
        adopted serves already."""
        if self.release is None or self.request.kind == requests.ADOPT:
            return False
        return self.release != self.before or bool(self.behind)

    def pull_sizes(self, node: str) -> dict[str, int]:
        """Bytes of each dataset that a node lacks, uncompressed."""
        return {dataset: self.sizes[dataset]["bytes"] for dataset in self.pulls.get(node, ())}

    def read_bytes(self) -> dict[str, int]:
        """Bytes that each node reads where they lie."""
        return {
            node: sum(self.sizes[dataset]["bytes"] for dataset in datasets)
            for node, datasets in self.reads.items()
        }

    def pull_bytes(self) -> dict[str, int]:
        """Bytes that each node lacks, uncompressed."""
        return {node: sum(self.pull_sizes(node).values()) for node in self.pulls}

    def unpacked(self, settings: Settings, lacking: Mapping[str, Sequence[str]]) -> dict[str, int]:
        """Site → bytes of the datasets that its nodes lack, each counted once."""
        sites: dict[str, set[str]] = {}
        for node, datasets in lacking.items():
            sites.setdefault(settings.nodes[node].site, set()).update(datasets)
        return {
            site: sum(self.sizes[dataset]["bytes"] for dataset in datasets)
            for site, datasets in sites.items()
            if datasets
        }
