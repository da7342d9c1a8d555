"""How a dataset is fetched with rsync: its arguments, its answers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import BadRequest
from ..settings import HOST, Settings

MANIFESTS = "manifests"
PARCELS = "parcels"
# Levels of zstd. The second sends a sixth less and manages some 45 MB a second and core, the
# first three times as many.
NEAR, FAR = 3, 9
# How a transfer makes use of what is here: of all that is like the file; of nothing; or of
# the beginning of the very file, which only what is named after its digest can have.
LIKE = ("--no-whole-file", "-yy")
ANEW = ("--ignore-times", "--whole-file")
GO_ON = ("--append",)
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_RECEIVED = re.compile(r"^Total bytes received: ([0-9]+)$", re.MULTILINE)
_PROGRESS = re.compile(r"\s*([0-9]+)\s+[0-9]+%\s")
# Silence for so many seconds ends a transfer; its source counts as failed then.
TIMEOUT = 60
# What rsync ends with when a source answered but had not everything: no such directory, some
# files not had, some files gone.
PARTIAL = (5, 23, 24)


@dataclass(frozen=True)
class Source:
    """A node that serves datasets: its id for people, its address for ssh."""

    node: str
    address: str

    @classmethod
    def parse(cls, value: Any) -> Source:
        """The source in ``{node, address}``; BadRequest for what ssh could take for an option."""
        if (
            not isinstance(value, dict)
            or not _NODE.fullmatch(str(value.get("node", "")))
            or not HOST.fullmatch(str(value.get("address", "")))
        ):
            raise BadRequest(
                f"{str(value)[:80]!r} is not a source", "a source is {node: ID, address: HOST}"
            )
        return cls(str(value["node"]), str(value["address"]))


def ssh_arguments(settings: Settings, keys: Path, control: Path) -> list[str]:
    """The ssh command to any source, without the host: one connection for many transfers."""
    options = (
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        f"IdentityFile={keys / 'id'}",
        f"UserKnownHostsFile={keys / 'known_hosts'}",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        f"ControlPath={control}",
        "ConnectTimeout=10",
        "ServerAliveInterval=5",
        "ServerAliveCountMax=4",
        # rsync compresses better, since it knows what the data is.
        "Compression=no",
    )
    login = ["-l", settings.carrier.user, "-p", str(settings.carrier.port)]
    return ["ssh", "-F", "none", *login, *(f"-o{option}" for option in options)]


def fetch_arguments(
    source: Source,
    ssh: Sequence[str],
    module: str,
    destination: Path,
    basis: Sequence[Path] = (),
    way: Sequence[str] = LIKE,
    level: int = NEAR,
) -> list[str]:
    """The rsync command that fetches the files named on its standard input.

    module
        What the source's rsync daemon calls the directory with all datasets of a kind.
    basis
        Local directories with earlier versions of the files, best first.
    way
        ``LIKE``, ``ANEW`` or ``GO_ON``.
    level
        How hard the source compresses: :func:`compression`.
    """
    zstd = ["--compress", "--compress-choice=zstd", f"--compress-level={level}"]
    return [
        "rsync",
        *("--times", "--no-perms", "--no-owner", "--no-group", "--omit-dir-times"),
        # The destination is a directory of our own, which nothing reads yet: a transfer that
        # was killed, however hard, goes on from the bytes that are there.
        "--inplace",
        *way,
        *(f"--copy-dest={folder}" for folder in basis),
        # Parts are compressed already.
        *([] if way == GO_ON else zstd),
        *("--from0", "--files-from=-"),
        f"--timeout={TIMEOUT}",
        *("--no-human-readable", "--info=progress2", "--stats"),
        f"--rsh={' '.join(ssh)}",
        f"{source.address}::{module}/",
        f"{destination}/",
    ]


def compression(settings: Settings, node: str, source: Source) -> int:
    """How hard a source compresses for a node: harder when a slow link is between them."""
    return NEAR if near(settings, node, source) else FAR


def near(settings: Settings, node: str, source: Source) -> bool:
    """Whether a node and a source stand at the same site."""
    sites = [settings.nodes[one].site for one in (node, source.node) if one in settings.nodes]
    return len(set(sites)) <= 1


def file_list(folder: str, paths: Iterable[str]) -> bytes:
    """The names for ``--from0 --files-from``; what follows ``/./`` is the name here.

    folder
        Where the files lie below their module; empty for the module's own directory.

    None of them can be taken for an option or a comment. (The folder is not part of the
    source's path: the daemon of rsync 3.5.0 then reports every file as vanished.)
    """
    below = f"{folder}/./" if folder else ""
    return b"".join(f"{below}{path}".encode("utf-8", "surrogateescape") + b"\0" for path in paths)


def received(output: str) -> int:
    """Bytes that came over the wire, as ``--stats`` counts them."""
    counts = _RECEIVED.findall(output)
    return int(counts[-1]) if counts else 0


def progress(line: str) -> int | None:
    """Bytes done, of a line of ``--info=progress2``; None for any other line."""
    match = _PROGRESS.match(line)
    return int(match[1]) if match else None


def disk_full(errors: str) -> bool:
    """Whether rsync ended because this side had no room left."""
    return "No space left on device" in errors or "Disk quota exceeded" in errors
