"""Files of a dataset on this node: found, hashed, written whole, flushed, removed."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from wbcore.build.manifest import Found, Stat, link_problem
from wbcore.errors import BadData, StepFailed
from wbcore.transport.patterns import excluded

import wbnode.minion

_PIECE = 1 << 20
_SCRATCH = ".work-"
_TELL_SECONDS = 0.5
_HASHERS = min(4, os.cpu_count() or 1)
_BATCH = 64


class NoRoom(StepFailed):
    """A disk has no room for work in progress."""


def scan(root: Path, left_out: Sequence[str]) -> Found:
    """Everything below ``root`` but what ``left_out`` excludes; nothing is read."""
    files: dict[str, Stat] = {}
    links: dict[str, str] = {}
    folders: set[str] = set()
    odd: dict[str, str] = {}
    for path, entry in _walk(root, "", left_out, odd):
        try:
            about = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        if stat.S_ISLNK(about.st_mode):
            links[path] = os.readlink(entry.path)
            if problem := link_problem(path, links[path]):
                odd[path] = problem
        elif stat.S_ISDIR(about.st_mode):
            folders.add(path)
        elif stat.S_ISREG(about.st_mode):
            files[path] = _stat(about)
        else:
            odd[path] = "is no file, folder or link; remove it"
    return Found(files, links, frozenset(folders), odd)


def check_own(folder: Path) -> None:
    """BadData when something else is at the place of a working directory than a directory of
    ours: it lies below one that a service's user may write, and a link there would lead what we
    remove, and what we make, to wherever that user likes."""
    try:
        about = os.lstat(folder)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
        raise BadData(
            f"{folder} is no directory of root's own, so nothing is done in it",
            "find out who put it there, and remove it",
        )


def sizes(root: Path, paths: Iterable[str]) -> dict[str, int]:
    """Bytes of each of these files below ``root``; what is no file there is left out."""
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            about = os.lstat(root / path)
            if stat.S_ISREG(about.st_mode):
                found[path] = about.st_size
    return found


def names(root: Path, left_out: Sequence[str]) -> tuple[list[str], dict[str, int]]:
    """Every path below ``root`` but what ``left_out`` excludes, and when each folder, the first
    of them ``root`` itself, last got or lost an entry (nanoseconds). No file is looked at."""
    found = [
        (path, entry.is_dir(follow_symlinks=False)) for path, entry in _walk(root, "", left_out, {})
    ]
    folders = ["", *(path for path, is_folder in found if is_folder)]
    return [path for path, _ in found], {path: changed(root / path) for path in folders}


def changed(folder: Path) -> int:
    """When a folder last got or lost an entry (nanoseconds); 0 when it is not there."""
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0


def digests(root: Path, paths: Iterable[str], tell: Callable[[str, int], object]) -> dict[str, str]:
    """The sha256 of each file that can be read; ``tell`` gets a path and the bytes read."""
    read: deque[tuple[str, int]] = deque()

    def digest(path: str) -> tuple[str, str]:
        try:
            return path, _sha256(root / path, lambda count: read.append((path, count)))
        except OSError:
            return path, ""

    def digest_all(batch: Sequence[str]) -> list[tuple[str, str]]:
        return [digest(path) for path in batch]

    wanted = list(paths)
    # Handing a file to a thread costs more than reading a small one.
    size = max(1, min(_BATCH, len(wanted) // (8 * _HASHERS)))
    batches = [wanted[first : first + size] for first in range(0, len(wanted), size)]
    with ThreadPoolExecutor(_HASHERS) as pool:
        waiting = {pool.submit(digest_all, batch) for batch in batches}
        found = set(waiting)
        while waiting:
            _, waiting = wait(waiting, timeout=_TELL_SECONDS)
            # Told from here, since Salt's functions belong to the thread that was given them.
            while read:
                tell(*read.popleft())
    return {path: sha256 for done in found for path, sha256 in done.result() if sha256}


def write_whole(path: Path, data: bytes) -> None:
    """Put ``data`` at ``path`` so that a reader finds all of it or what was there before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def flush(folders: Iterable[Path]) -> None:
    """Write to disk all that the file systems of these folders hold in memory."""
    by_device = {os.stat(folder).st_dev: folder for folder in folders}
    for folder in by_device.values():
        # coreutils' sync -f is syncfs(2), which Python's os module does not have.
        wbnode.minion.command(["sync", "-f", folder], "see the kernel's log for a failing disk")


def flush_names(folder: Path) -> None:
    """Write to disk which names a folder holds."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def give(root: Path, path: str, owner: tuple[int, int], mode: int) -> None:
    """Set the owner and mode of a file or folder below ``root``, of ``root`` itself for ``""``.

    Users of services own the folders above it and may put a link in the place of any name, so
    no link is followed on the way; BadData names the path where one stands.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(root, flags | os.O_DIRECTORY)
        for part in Path(path).parts:
            above = descriptor
            try:
                descriptor = os.open(part, flags, dir_fd=above)
            finally:
                os.close(above)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR):
            raise
        raise BadData(
            f"{root / path} is or goes through a link, so its owner and mode were left alone",
            "find out who put the link there, and remove it",
        ) from error
    try:
        os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def refuse_full(folder: Path, count: int, free_percent: int = 0) -> None:
    """NoRoom unless a disk has room for so many bytes and so many percent stay free."""
    about = os.statvfs(folder)
    free = (about.f_bavail - about.f_blocks * free_percent // 100) * about.f_frsize
    if count > free:
        raise NoRoom(
            f"the disk of {folder} has no room for {count / 1e6:,.1f} MB of work in progress"
            + (f" and {free_percent} % to stay free" if free_percent else ""),
            "make room there, and run the same command again",
        )


@contextlib.contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A directory for work in progress on the file system of a folder, which is made if it
    is not there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as made:
        yield Path(made)


def sweep(folder: Path) -> None:
    """Remove what work that was killed left in a folder."""
    for left in folder.glob(f"{_SCRATCH}*"):
        remove(left)


def keep_only(folder: Path, names: Collection[str]) -> None:
    """Remove everything in a folder but what has one of these names."""
    for path in folder.glob("*"):
        if path.name not in names:
            remove(path)


def link(path: Path, target: str) -> None:
    """Have a link at ``path`` lead to ``target``, whatever was there before."""
    if not path.is_symlink() or os.readlink(path) != target:
        remove(path)
        os.symlink(target, path)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; nothing there is right too."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _walk(
    root: Path, below: str, left_out: Sequence[str], odd: dict[str, str]
) -> Iterator[tuple[str, os.DirEntry[str]]]:
    try:
        entries = sorted(os.scandir(root / below), key=lambda entry: entry.name)
    except OSError as error:
        odd[below or "."] = f"can not be read ({error.strerror}); make it readable"
        return
    for entry in entries:
        path = f"{below}/{entry.name}" if below else entry.name
        if excluded(path, left_out):
            continue
        yield path, entry
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, path, left_out, odd)


def _stat(about: os.stat_result) -> Stat:
    mode = stat.S_IMODE(about.st_mode)
    return Stat(about.st_size, about.st_mtime_ns, mode, about.st_ino, about.st_ctime_ns)


def _sha256(path: Path, tell: Callable[[int], object]) -> str:
    sha256, piece = hashlib.sha256(), memoryview(bytearray(_PIECE))
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(piece):
            sha256.update(piece[:count])
            tell(count)
    return sha256.hexdigest()
