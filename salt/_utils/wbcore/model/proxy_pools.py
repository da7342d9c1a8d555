"""The proxy's pools: the lists of web nodes that serve, and who may be in them.

Each pool is a backend of HAProxy, in a file of its own. Which of the two is live is an entry of
a map, read at every request; so is whether the maintenance page is up. The page's lease says when
it ends and what the site served when it went up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import BadRequest, ReleaseError
from ..golive.served import differences
from ..names import Build, Release

POOLS = ("a", "b")
# A node that accepts no connection gets no requests until it does: it is tried every half second.
SERVER_OPTIONS = (
    "check inter 2s fastinter 500ms downinter 500ms fall 2 rise 1"
    " observe layer4 error-limit 2 on-error mark-down"
)
_SERVER = re.compile(r"^ *server ([^ :]+):(\S+) ", re.MULTILINE)
_MAP_ENTRY = re.compile(r"^(\S+) (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Lease:
    """A maintenance page with an end.

    release
        Name of the release that was live when the page went up, or ``""``.
    until
        Seconds since 1970 at which the page ends by itself once all that served before serve
        one whole release.
    latest
        Seconds since 1970 at which it ends with those that do.
    reports
        Node id → ``address:port`` of its report.
    served
        What the live pool's nodes served before the page went up, by their reports.
    links
        Node id → the live links that it gets behind the page, if a change-over put it up.
    """

    release: str
    until: float
    latest: float
    reports: Mapping[str, str]
    served: Mapping[str, Any]
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Lease:
        """The lease of its plain form."""
        return cls(
            str(value["release"]),
            float(value["until"]),
            float(value["latest"]),
            dict(value["reports"]),
            dict(value["served"]),
            dict(value.get("links", {})),
        )

    def plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)


def known(pool: object) -> str:
    """The name of a pool; BadRequest for any other name."""
    if pool not in POOLS:
        raise BadRequest(f"{str(pool)[:40]!r} is not a pool of the proxy", "a pool is a or b")
    return str(pool)


def backend(pool: str) -> str:
    """The name by which HAProxy knows a pool."""
    return f"wormbase_{pool}"


def render(pool: str, nodes: Mapping[str, str]) -> str:
    """The file of a pool.

    nodes
        Node id → ``address:port``. A pool without any answers with the maintenance page.
    """
    lines = [
        f"    server {name} {where} {SERVER_OPTIONS}" for name, where in servers(nodes).items()
    ]
    return "\n".join([f"backend {backend(pool)}", *lines, ""])


def servers(nodes: Mapping[str, str]) -> dict[str, str]:
    """The servers of nodes: name → ``address:port``. A node that has moved is another server."""
    return {f"{node}:{where}": where for node, where in nodes.items()}


def parse(text: str) -> dict[str, str]:
    """The nodes in the file of a pool: id → ``address:port``."""
    return dict(_SERVER.findall(text))


def render_map(entries: Mapping[str, str]) -> str:
    """The map that HAProxy reads at every request: which pool is live (``live``: a or b), and
    whether the maintenance page is up (``page``: up or down)."""
    return "".join(f"{key} {value}\n" for key, value in entries.items())


def parse_map(text: str) -> dict[str, str]:
    """The entries of the map; before there is one, those of a new proxy."""
    return {"live": "a", "page": "down", **dict(_MAP_ENTRY.findall(text))}


def picture(version: Any) -> dict[str, Any]:
    """What of a report is the same on all nodes that serve one release."""
    if not isinstance(version, Mapping):
        return {}
    return {key: version.get(key) for key in ("release", "acedb", "mysql")}


def whole(version: Any) -> bool:
    """Whether a report shows one release: AceDB is of its build, and no
    database is of a later one (one that was not rebuilt is of an earlier one)."""
    try:
        build = Release.parse(picture(version).get("release")).build
        databases = version["mysql"].values()
        return version.get("acedb") == str(build) and all(
            Build.parse(database) <= build for database in databases
        )
    except (ReleaseError, KeyError, AttributeError):
        return False


def to_keep(answers: Mapping[str, Any], lease: Lease) -> list[str]:
    """The nodes that may serve when a lease has ended: those that serve what the site
    served before, else those that serve what the page went up for, all of it; where that is
    not known, the largest group that serves one whole release. None if there is none.

    answers
        Node id → its report, None where there was none.
    """
    before = [picture(answer) for answer in lease.served.values()]
    good = {node: picture(answer) for node, answer in answers.items() if whole(answer)}
    same = [node for node, shown in good.items() if shown["release"] == lease.release]
    if before:
        # A node on its way back may answer the old name with some databases of another build.
        same = [node for node in same if good[node] in before]
    if lease.links:
        new = [node for node in good if not differences(answers[node], lease.links.get(node, {}))]
        return same or [node for node in new if good[node]["release"] != lease.release]
    groups = [
        [node for node in good if good[node] == shown]
        for shown in good.values()
        if shown["release"] != lease.release
    ]
    return same or max(groups, key=len, default=[])


def may_open(kept: Iterable[str], nodes: Iterable[str], lease: Lease, now: float) -> bool:
    """Whether the page may end with these nodes: not while one that served before may still
    be switching, unless that took too long; and with at least one, if there is any.

    nodes
        Those in the live pool.
    now
        Seconds since 1970.
    """
    pooled, good = set(nodes), set(kept)
    switching = (pooled & lease.served.keys() or pooled) - good
    return not pooled or (bool(good) and (not switching or now >= lease.latest))


def judged(
    answers: Mapping[str, Mapping[str, Any]], links: Mapping[str, Mapping[str, str]]
) -> dict[str, bool | None]:
    """Of each node, whether it serves what its links promise; None where it gave no answer.

    answers
        What :func:`wb_proxy.reports` returns.
    links
        Node id → the live links of the release that the node has.
    """
    return {
        node: not differences(answer["body"], links[node]) if answer["status"] == 200 else None
        for node, answer in answers.items()
    }


def to_serve(
    pooled: Iterable[str], looks: Sequence[Mapping[str, bool | None]], percent: int
) -> list[str]:
    """The nodes that may be in the live pool after some looks at all of them; none while no
    node serves the release.

    One that serves something else goes, and who serves the release comes. One in the pool that
    gives no answer goes if it gave none in all of the looks, and only while enough are left:
    what keeps one busy node from answering soon keeps the others as well.

    pooled
        The nodes in the pool now.
    looks
        What :func:`judged` found, each time; the last look counts.
    percent
        So many percent of the web nodes are enough (``wormbase:golive:quorum_percent``).
    """
    last, there = looks[-1], set(pooled)
    silent = {node for node in there if node in last and last[node] is None}
    late = {node for node in silent if any(look.get(node) for look in looks)}
    good = {node for node, serves in last.items() if serves} | late
    if good and len(good) * 100 < len(last) * percent:
        good |= silent
    return [node for node in last if node in good]
