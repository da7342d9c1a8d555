"""Processes and what they have open, from ``/proc``.

Only links below ``/proc/<pid>`` are read, so a caller that is not root needs CAP_SYS_PTRACE and
CAP_DAC_READ_SEARCH. A process that ends meanwhile has nothing open.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"
_ACCEPTS = 0x10000
_DELETED = " (deleted)"


def listening(port: int) -> set[str]:
    """The sockets that listen on a TCP port, as ``/proc/<pid>/fd`` shows them."""
    found = set()
    for table in ("tcp", "tcp6"):
        for row in _rows(table):
            if row[3] == _LISTENS and int(row[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{row[9]}]")
    return found


def listening_at(path: Path) -> set[str]:
    """The sockets that listen at a path."""
    place = os.path.realpath(path)
    return {
        f"socket:[{row[6]}]"
        for row in _rows("unix")
        if len(row) > 7 and int(row[3], 16) & _ACCEPTS and os.path.realpath(row[7]) == place
    }


def holders(sockets: Collection[str]) -> dict[int, list[str]]:
    """The processes that hold one of these sockets, each with everything that it has open."""
    wanted = frozenset(sockets)
    # Plain strings: a node has thousands of open files, and the keeper waits for the answer.
    each = ((int(name), _opened(name)) for name in os.listdir(_PROC) if name.isdigit())
    return {pid: files for pid, files in each if not wanted.isdisjoint(files)}


def working_directory(pid: int) -> Path | None:
    """Where a process works, even if that directory was removed; None if it has ended."""
    try:
        return Path(os.readlink(_PROC / str(pid) / "cwd").removesuffix(_DELETED))
    except OSError:
        return None


def program(pid: int) -> str:
    """The name of the program that a process runs; empty if it has ended."""
    try:
        return os.path.basename(os.readlink(_PROC / str(pid) / "exe").removesuffix(_DELETED))
    except OSError:
        return ""


def words(pid: int) -> str:
    """The words by which a process was started, or what it calls itself."""
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return line.decode("utf-8", "replace").replace("\0", " ").strip()


def parent(pid: int) -> int:
    """The parent of a process; 0 if it has ended."""
    fields = _fields(pid)
    return int(fields[1]) if fields else 0


def started(pid: int) -> float:
    """When a process started, in seconds since 1970; 0 if it has ended."""
    fields = _fields(pid)
    if not fields:
        return 0.0
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _rows(table: str) -> list[list[str]]:
    """The rows of a table of sockets; none of a family that this machine lacks."""
    try:
        text = (_PROC / "self/net" / table).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    return [line.split() for line in text.splitlines()[1:]]


def _opened(process: str) -> list[str]:
    folder = f"{_PROC}/{process}/fd"
    found = []
    with contextlib.suppress(OSError):
        for number in os.listdir(folder):
            with contextlib.suppress(OSError):
                found.append(os.readlink(f"{folder}/{number}").removesuffix(_DELETED))
    return found


def _fields(pid: int) -> list[str]:
    """The fields of a process after its name: state, parent, …; none if it has ended."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return stat.rpartition(")")[2].split()
