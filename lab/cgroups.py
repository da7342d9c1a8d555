"""A cgroup of its own for each node: the node's systemd would else write into the machine's."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .command import LabError

# Joins the cgroup and becomes the command.
_JOIN = 'echo $$ >"$0/cgroup.procs" && exec "$@"'


def within(name: str) -> tuple[str, ...]:
    """The beginning of an argument list: what follows runs in a new cgroup of this name."""
    group = _root() / name
    group.mkdir(exist_ok=True)
    return ("sh", "-c", _JOIN, str(group))


def remove(name: str) -> None:
    """Remove a cgroup with all below it; no process is in any of them."""
    group = _root() / name
    for below in sorted(group.rglob("*"), reverse=True):
        if below.is_dir():
            _rmdir(below)
    _rmdir(group)


def _rmdir(group: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        group.rmdir()


def _root() -> Path:
    """Where the machine has cgroup v2."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise LabError("this machine has no cgroup v2, which systemd needs; mount it")
