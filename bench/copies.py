"""What of a build goes to a node, and the rsync commands of the two ways without Salt.

``old`` is what the old scripts of the wiki page did, ``based`` the best that rsync alone can
do when the old release lies at the receiver.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROOT = "/usr/local"
SCRATCH = "/usr/local/bench"
KEY = "/root/bench-key"
PORT = 2222
SHELL = (
    f"ssh -p {PORT} -i {KEY} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
    "-o LogLevel=ERROR"
)
# What the old scripts left out (docs/field.md, "What the old scripts did").
LEFT_OUT = {
    "acedb": ("serverlog.wrm", "log.wrm", "database/readlocks"),
    "mysql": ("*bak*", "old", "*TMD*"),
    "support": ("*bak*", "web_data/"),
}
MINING_ONLY = ("blast", "blat")
# Levels of zstd over the WAN and within a site, as the project's own rsync has them.
FAR, NEAR = 9, 3


@dataclass(frozen=True)
class Copy:
    """A directory that travels: its place below ``/usr/local``, and its predecessor's."""

    kind: str
    path: str
    basis: str = ""


@dataclass(frozen=True)
class Pair:
    """Two builds: the one that is live, and the one that is pushed.

    ``databases`` are the MySQL directories of the new build, each with its predecessor.
    """

    first: str
    second: str
    databases: tuple[tuple[str, str], ...]

    def copies(self, roles: Iterable[str]) -> list[Copy]:
        """What of the new build goes to a node of these roles."""
        all_copies = [
            self._copy("acedb", "wormbase/acedb/wormbase_{}"),
            *(Copy("mysql", f"mysql/data/{n}", f"mysql/data/{o}") for n, o in self.databases),
            self._copy("support", "wormbase/databases/{}"),
        ]
        return [copy for copy in all_copies if copy.kind in roles]

    def _copy(self, kind: str, path: str) -> Copy:
        return Copy(kind, path.format(self.second), path.format(self.first))


def old(copy: Copy, roles: Sequence[str], node: str) -> list[str]:
    """On wb-dev: send a directory whole to a node."""
    target = f"{node}:{SCRATCH}/{copy.path}/"
    return ["rsync", "-Cav", f"--rsh={SHELL}", *_excludes(copy, roles),
            f"{ROOT}/{copy.path}/", target]  # fmt: skip


def based(copy: Copy, roles: Sequence[str], source: str, sibling: bool) -> list[str]:
    """On a node: fetch a directory from wb-dev, or what a sibling has fetched before."""
    return [
        *("rsync", "-a", "--no-whole-file", "-yy", f"--copy-dest={ROOT}/{copy.basis}"),
        *("--compress", "--compress-choice=zstd"),
        f"--compress-level={NEAR if sibling else FAR}",
        f"--rsh={SHELL}",
        *_excludes(copy, roles),
        f"{source}:{SCRATCH if sibling else ROOT}/{copy.path}/",
        f"{SCRATCH}/{copy.path}/",
    ]


def _excludes(copy: Copy, roles: Sequence[str]) -> list[str]:
    mining = () if "mining" in roles else tuple(f"/{folder}" for folder in MINING_ONLY)
    patterns = LEFT_OUT[copy.kind] + (mining if copy.kind == "support" else ())
    return [f"--exclude={pattern}" for pattern in patterns]
