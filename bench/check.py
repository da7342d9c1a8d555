"""Whether what came is byte for byte what wb-dev has, by sha256 and nothing of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lab.builds import STAGING
from lab.cluster import Cluster
from lab.inventory import Host

from . import rig
from .copies import MINING_ONLY, ROOT, Copy, Pair

# What servers write into a database, and what the old scripts left out for it.
_ALIVE = ("*log.wrm", "SERVER_PIDFILE.wrm")


def wrong(lab: Cluster, pair: Pair, root: str, names: Collection[str] | None = None) -> list[str]:
    """Those of the nodes with databases, or of ``names``, on which a file of the new build is
    missing, another one, or too much.

    root
        What the build lies below on the nodes: ``/usr/local``, or a scratch directory.
    """
    there = sums(lab, lab.inventory.host(STAGING), _ALL_ROLES, pair, ROOT)
    with ThreadPoolExecutor(max_workers=2) as pool:
        look = {
            host: pool.submit(sums, lab, host, host.roles, pair, root)
            for host in rig.holders(lab)
            if names is None or host.name in names
        }
    return [
        host.name for host, here in look.items() if here.result() != due(there, host.roles, pair)
    ]


_ALL_ROLES = ("acedb", "mysql", "support", "mining")


def due(there: Mapping[str, str], roles: Sequence[str], pair: Pair) -> dict[str, str]:
    """Of all files of a build, those that a node of these roles has to have."""
    return {path: digest for path, digest in there.items() if _goes(path, roles, pair)}


def _goes(path: str, roles: Sequence[str], pair: Pair) -> bool:
    return any(
        path.startswith(f"{copy.path}/") and not _kept_back(path, copy, roles)
        for copy in pair.copies(roles)
    )


def _kept_back(path: str, copy: Copy, roles: Sequence[str]) -> bool:
    folder = path.removeprefix(f"{copy.path}/").split("/")[0]
    return copy.kind == "support" and folder in MINING_ONLY and "mining" not in roles


def sums(lab: Cluster, host: Host, roles: Sequence[str], pair: Pair, root: str) -> dict[str, str]:
    """Path below ``root`` → sha256 of every file of the new build on a node."""
    names = [word for pattern in _ALIVE for word in ("!", "-name", pattern)]
    told = rig.call(
        lab.node(host.name),
        *("env", f"--chdir={root}", "find", *(copy.path for copy in pair.copies(roles))),
        *("-type", "f", *names, "!", "-path", "*/readlocks/*"),
        *("-exec", "sha256sum", "{}", "+"),
    )
    rows = (line.split("  ", 1) for line in told.splitlines())
    return {path: digest for digest, path in rows}
