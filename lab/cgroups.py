"""A cgroup of its own for each node: the node's systemd would else write into the machine's."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

from .command import LabError

_GONE_SECONDS = 10.0
# Joins the cgroup and becomes the command.
_JOIN = 'echo $$ >"$0/cgroup.procs" && exec "$@"'


def within(name: str) -> tuple[str, ...]:
    """The beginning of an argument list: what follows runs in a new cgroup of this name."""
    group = _root() / name
    group.mkdir(exist_ok=True)
    return ("sh", "-c", _JOIN, str(group))


def remove(name: str) -> None:
    """Remove a cgroup with all below it, once no process is left in any of them."""
    group = _root() / name
    limit = time.monotonic() + _GONE_SECONDS
    while not _removed(group):
        if time.monotonic() > limit:
            raise LabError(f"processes are left in {group}")
        time.sleep(0.02)


def _removed(group: Path) -> bool:
    """Remove what can be removed, from the leaves up; a process that ends keeps its own."""
    with contextlib.suppress(OSError):
        for folder, _, _ in os.walk(group, topdown=False):
            os.rmdir(folder)
    return not group.exists()


def _root() -> Path:
    """Where the machine has cgroup v2."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(place)
    raise LabError("this machine has no cgroup v2, which systemd needs; mount it")
