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
from typing import BinaryIO

from wbcore.build.manifest import Found, Stat
from wbcore.errors import BadData, StepFailed
from wbcore.transport.excludes import excluded

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
    with contextlib.suppress(FileNotFoundError), own(folder):
        pass


@contextlib.contextmanager
def own(folder: Path) -> Iterator[Path]:
    """A path that leads to a working directory of ours for as long as the context lasts, even
    if somebody puts something else in its place meanwhile; BadData as :func:`check_own` says."""
    descriptor = _open(folder, folder, 0)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid():
            raise BadData(
                f"{folder} is no directory of root's own, so nothing is done in it",
                "find out who put it there, and remove it",
            )
        yield Path(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """A file opened to be read; BadData when a link or anything else has come in its place."""
    descriptor = _open(os.fspath(path), Path(path), 0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BadData(f"{path} is no file", "remove it, and start again")
    return open(descriptor, "rb")


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


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same."""
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while piece := left.read(_PIECE):
            if piece != right.read(_PIECE):
                return False
    return True


def take_place(file: Path, path: Path) -> None:
    """Put a file in the place of another, with the owner and mode of that one."""
    about = path.stat()
    os.chown(file, about.st_uid, about.st_gid)
    os.chmod(file, about.st_mode & 0o7777)
    os.replace(file, path)


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


@contextlib.contextmanager
def folder_of(root: Path, path: str) -> Iterator[tuple[int, str]]:
    """The folder above a path below ``root``, as a descriptor, and the last name of the path.

    Users of services own these folders and may put a link in the place of any name, so no link
    is followed on the way; BadData names the path where one stands.
    """
    *folders, name = Path(path).parts
    descriptor = _open(root, root, os.O_DIRECTORY)
    try:
        for part in folders:
            below = _open(part, root / path, os.O_DIRECTORY, descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor, name
    finally:
        os.close(descriptor)


def give(root: Path, path: str, owner: tuple[int, int], mode: int) -> None:
    """Set the owner (-1: keep it) and mode of a file or folder below ``root``, of ``root``
    itself for ``""``; BadData for what is neither, and for a file that has another name
    elsewhere and would get another owner."""
    if not path:
        descriptor = _open(root, root, os.O_DIRECTORY)
    else:
        with folder_of(root, path) as (folder, name):
            descriptor = _open(name, root / path, 0, folder)
    try:
        _check_plain(os.fstat(descriptor), owner[0], root / path)
        os.fchown(descriptor, *owner)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def give_link(root: Path, path: str, owner: tuple[int, int]) -> None:
    """Set the owner of a link below ``root``; where it leads is left alone."""
    with folder_of(root, path) as (folder, name):
        os.chown(name, *owner, dir_fd=folder, follow_symlinks=False)


def make_folder(root: Path, path: str) -> None:
    """Have a folder at a path below ``root``; BadData when something else is there."""
    with folder_of(root, path) as (folder, name):
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=folder)
        os.close(_open(name, root / path, os.O_DIRECTORY, folder))


def put(file: Path, root: Path, path: str) -> None:
    """Move a file to a path below ``root``, in the place of whatever was there."""
    with folder_of(root, path) as (folder, name):
        _remove_folder(name, folder)
        os.replace(file, name, dst_dir_fd=folder)


def link(root: Path, path: str, target: str) -> None:
    """Have a link at a path below ``root`` lead to ``target``, whatever was there before."""
    with folder_of(root, path) as (folder, name):
        with contextlib.suppress(OSError):
            if os.readlink(name, dir_fd=folder) == target:
                return
        _remove_folder(name, folder)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        os.symlink(target, name, dir_fd=folder)


def _open(name: str | Path, path: Path, flags: int, folder: int | None = None) -> int:
    """A descriptor of what has a name in a folder, unless that is a link."""
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | flags, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENOTDIR, errno.ENXIO):
            raise
        raise BadData(
            f"{path} is or goes through a link, or is no folder or file; it was left alone",
            "find out who put it there, and remove it",
        ) from error


def _check_plain(about: os.stat_result, owner: int, path: Path) -> None:
    plain = stat.S_ISDIR(about.st_mode) or stat.S_ISREG(about.st_mode)
    # A name of root's file that a service's user made here would give that file to the user.
    shared = stat.S_ISREG(about.st_mode) and about.st_nlink > 1
    if not plain or (shared and owner not in (-1, about.st_uid)):
        raise BadData(
            f"{path} is no plain file or folder, or has a second name elsewhere; it was left alone",
            "find out who put it there, and remove it",
        )


def _remove_folder(name: str, folder: int) -> None:
    """Remove what has a name in a folder if that is a folder itself."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            shutil.rmtree(name, dir_fd=folder)


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
    """Remove what work that was killed left in a working directory of ours."""
    with contextlib.suppress(FileNotFoundError), own(folder) as ours:
        for left in ours.glob(f"{_SCRATCH}*"):
            remove(left)


def keep_only(folder: Path, names: Collection[str]) -> None:
    """Remove everything in a folder but what has one of these names."""
    for path in folder.glob("*"):
        if path.name not in names:
            remove(path)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; nothing there is right too."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def remove_in(folder: Path, path: Path) -> None:
    """Remove what is at a path in a working directory of ours, which need not be there."""
    with contextlib.suppress(FileNotFoundError), own(folder) as ours:
        remove(ours / path.relative_to(folder))


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
