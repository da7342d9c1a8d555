"""Which release of the webapp the running Starman was started from."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from wbcore.errors import ReleaseError, StepFailed
from wbcore.layout import Layout
from wbcore.names import Release

from . import processes

# The clock of processes counts in hundredths of a second, and may be set while they run.
_CLOCK_SECONDS = 1.0
_RECORD_CHARACTERS = 1000
_LOOK = "look at Starman's unit on this node (webapp:service in the pillar)"


def release(layout: Layout, port: int) -> Release:
    """The release of the processes that answer on a port.

    Those are the workers. What started them holds the socket too, and keeps its working
    directory through a restart that loses no request. StepFailed while nothing listens, or while
    workers of two releases do.
    """
    workers, generations = _workers(port)
    if not workers:
        raise StepFailed(f"no process is seen that listens on port {port} for the webapp", _LOOK)
    names = {_name(layout, place) for place in workers.values()}
    if len(names) > 1 or ("" in names and generations > 1):
        shown = " and ".join(sorted(map(str, workers.values())))
        raise StepFailed(
            f"Starman does not serve one release: its workers run in {shown}",
            f"wait until its restart is over, or {_LOOK}",
        )
    return Release.parse(names.pop() or _recorded(layout, workers))


def _workers(port: int) -> tuple[dict[int, Path], int]:
    """Each worker with its working directory, and how many Starmans started them."""
    holders = processes.holders(processes.listening(port))
    parents = {pid: processes.parent(pid) for pid in holders}
    workers = {
        pid: place
        for pid in holders
        if pid not in parents.values() and (place := processes.working_directory(pid))
    }
    generations = {parents[pid] if parents[pid] in holders else pid for pid in workers}
    return workers, len(generations)


def _name(layout: Layout, place: Path) -> str:
    """The release in which a process works; empty if it works outside of all webapps."""
    website = layout.website.resolve()
    if not place.is_relative_to(website) or place == website:
        return ""
    name = place.relative_to(website).parts[0]
    try:
        return str(Release.parse(name))
    except ReleaseError:
        raise StepFailed(f"Starman runs in {place}, which is not a release", _LOOK) from None


def _recorded(layout: Layout, workers: dict[int, Path]) -> str:
    """The release that the service wrote down when it started."""
    place, record = next(iter(workers.values())), layout.starman_release
    try:
        name, written = _record(record)
    except (OSError, ReleaseError):
        raise StepFailed(
            f"Starman runs in {place}, and {record} does not name its release", _LOOK
        ) from None
    if min(map(processes.started, workers)) < written - _CLOCK_SECONDS:
        raise StepFailed(
            f"Starman runs in {place}, and is older than {record}, which names its release",
            "restart Starman's unit on this node (webapp:service in the pillar)",
        )
    return name


def _record(path: Path) -> tuple[str, float]:
    """The name of the release in a file of the webapp's user, and when it was written.

    Whoever asks may read more than that user, so no link is followed and nothing else is quoted.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, encoding="utf-8", errors="replace") as file:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(f"{path} is no file")
        return str(Release.parse(Path(file.read(_RECORD_CHARACTERS).strip()).name)), about.st_mtime
