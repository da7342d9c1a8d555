"""What was observed: of the development server, of the proxy, of every node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..names import Build

# Where a pillar says of which state of the master's files it is made.
EDITION = "wormbase_edition"


@dataclass(frozen=True)
class NodeSeen:
    """A node with datasets: what it holds (id → digest), its live links, what its
    servers serve, the switch that it began and did not end, and its free disk by kind; and whether
    it, which any node has, was ever brought to its state."""

    held: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    version: Mapping[str, Any] = field(default_factory=dict)
    switch: Mapping[str, Any] = field(default_factory=dict)
    free: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    settled: bool = True


@dataclass(frozen=True)
class StagingSeen:
    """The development server: builds there (name → landed), a survey of the one asked
    for, what stands in ``website/staging``, and what keeps the build from being announced (way to
    announce → why)."""

    builds: Mapping[str, bool] = field(default_factory=dict)
    survey: Mapping[str, Any] = field(default_factory=dict)
    webapp: Mapping[str, Any] = field(default_factory=dict)
    unready: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def newest(self) -> Build | None:
        """The newest build that is staged."""
        return max((Build.parse(name) for name in self.builds), default=None)


@dataclass(frozen=True)
class Seen:
    """Everything a decision is made of; ``absent`` are the nodes that did not answer, or
    answered with an error, which ``troubles`` holds (node → why): what they hold is not known,
    and one such node must not keep the others from a release, or from going back. ``epochs``
    are those that nodes last received."""

    nodes: Mapping[str, NodeSeen]
    staging: StagingSeen
    proxy: Mapping[str, Any] = field(default_factory=dict)
    absent: Sequence[str] = ()
    troubles: Mapping[str, str] = field(default_factory=dict)
    epochs: Mapping[str, int] = field(default_factory=dict)

    def away(self, node: str) -> str:
        """Why an absent node counts as absent, as the end of a sentence about it."""
        why = self.troubles.get(node)
        return f"cannot say what it holds: {why}" if why else "does not answer"
