"""What is measured, in the text format of Prometheus: a textfile for its node_exporter.

Whatever is not known has no line: nothing is reckoned as 0 that nobody has counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .names import Release

COUNTER, GAUGE = "counter", "gauge"


@dataclass(frozen=True)
class Push:
    """The last push: bytes that entered each site, bytes that all nodes received, seconds."""

    entered: Mapping[str, int]
    received: int
    seconds: float


@dataclass(frozen=True)
class Facts:
    """What the master knows.

    now
        Seconds since 1970.
    live, since
        The release that the ledger calls live, and when it went live.
    serving
        Node → the release that it serves.
    window
        Seconds for which the last change-over showed the maintenance page.
    runs
        (kind, outcome) → how many runs have ended so.
    drift
        (node, kind) → how often the node told so, as far as the ledger keeps it.
    unread
        Node → seconds since every byte of what it holds had been read.
    """

    now: float
    live: Release | None = None
    since: float | None = None
    serving: Mapping[str, Release] = field(default_factory=dict)
    push: Push | None = None
    window: float | None = None
    runs: Mapping[tuple[str, str], int] = field(default_factory=dict)
    drift: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unread: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """One metric: its name, without the project's prefix, and its samples."""

    name: str
    kind: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]

    def text(self) -> str:
        """Its lines; none without samples."""
        if not self.samples:
            return ""
        name = f"wormbase_{self.name}"
        lines = [f"# HELP {name} {self.help}", f"# TYPE {name} {self.kind}"]
        lines += [f"{name}{_labels(labels)} {_number(value)}" for labels, value in self.samples]
        return "\n".join(lines) + "\n"


def text(facts: Facts) -> str:
    """Everything that is known."""
    return "".join(family.text() for family in families(facts))


def families(facts: Facts) -> Iterable[Family]:
    """Every metric, each in its place: a further one is a further line here."""
    yield _info(facts)
    yield _age(facts)
    yield _one("release_live_timestamp_seconds", "When the live release went live.", facts.since)
    yield from _push(facts.push)
    yield _one("window_seconds", "Length of the last maintenance window.", facts.window)
    yield _runs(facts)
    yield _drift(facts)
    yield _unread(facts)


def _info(facts: Facts) -> Family:
    samples = [
        ({"node": node, "release": str(release), "build": str(release.build)}, 1)
        for node, release in sorted(facts.serving.items())
    ]
    return Family("release_info", GAUGE, "The release that a node serves.", samples)


def _age(facts: Facts) -> Family:
    age = None if facts.since is None else max(0.0, facts.now - facts.since)
    told = "For how long the live release had been live when this was written."
    labels = {"release": str(facts.live), "build": str(facts.live.build)} if facts.live else {}
    return _one("release_age_seconds", told, age, labels)


def _push(push: Push | None) -> Iterable[Family]:
    if push is None:
        return
    sites = [({"site": site}, count) for site, count in sorted(push.entered.items())]
    yield Family("push_site_bytes", GAUGE, "Bytes of the last push that entered a site.", sites)
    received = "Bytes of the last push that all nodes received, from siblings too."
    yield _one("push_received_bytes", received, push.received)
    yield _one("push_seconds", "Seconds that the last push took.", push.seconds)


def _runs(facts: Facts) -> Family:
    samples = [
        ({"kind": kind, "outcome": outcome}, count)
        for (kind, outcome), count in sorted(facts.runs.items())
    ]
    return Family("runs_total", COUNTER, "Runs that have ended, by outcome.", samples)


def _drift(facts: Facts) -> Family:
    samples = [
        ({"node": node, "kind": kind}, count) for (node, kind), count in sorted(facts.drift.items())
    ]
    # The ledger forgets the oldest, so it can become less.
    told = "How often a node reported drift, catching up, rot or a failure; newest reports."
    return Family("drift_reports", GAUGE, told, samples)


def _unread(facts: Facts) -> Family:
    samples = [({"node": node}, seconds) for node, seconds in sorted(facts.unread.items())]
    told = "Age of the oldest verification among the datasets that a node holds."
    return Family("verification_age_seconds", GAUGE, told, samples)


def _one(
    name: str, told: str, value: float | None, labels: Mapping[str, str] | None = None
) -> Family:
    return Family(name, GAUGE, told, [] if value is None else [(labels or {}, value)])


def _labels(labels: Mapping[str, str]) -> str:
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return repr(float(value)) if isinstance(value, float) else str(value)
