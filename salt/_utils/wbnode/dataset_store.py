"""The datasets of this node: what is here, what of it is verified, what comes and goes."""

import contextlib
import datetime
import grp
import hashlib
import json
import os
import pwd
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbcore.build.manifest import Contents, parse_name
from wbcore.datasets import KINDS, SUPPORT, WEBAPP, Dataset
from wbcore.errors import BadRequest, StepFailed
from wbcore.layout import Layout
from wbcore.settings import Settings
from wbcore.transport import excludes
from wbcore.transport.ownership import LOGS_MODE, Ownership, file_mode, ownership

import wbnode.files
from wbnode.verify import verify


@dataclass(frozen=True)
class DatasetStore:
    """The datasets of this node, in their directories."""

    layout: Layout
    settings: Settings

    def __post_init__(self) -> None:
        for kind in KINDS:
            wbnode.files.check_own(self.layout.incoming_of(kind))

    def present(self) -> list[Dataset]:
        """Every dataset that has its directory here, verified or not."""
        return [
            dataset
            for kind in KINDS
            for dataset in _datasets(kind, self.layout.kind(kind))
            if not self.layout.dataset(dataset).is_symlink()
        ]

    def incoming(self) -> list[Dataset]:
        """Every dataset that was begun to be fetched."""
        return [
            dataset for kind in KINDS for dataset in _datasets(kind, self.layout.incoming_of(kind))
        ]

    def record(self, dataset: Dataset) -> dict[str, Any] | None:
        """The marker of a dataset, if it speaks of the directory that is there.

        It counts by the inode alone: the number of a device may be another one after a boot.
        """
        try:
            record = json.loads(self.layout.marker(dataset).read_bytes())
            about = self.layout.dataset(dataset).lstat()
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None
        return record if record.get("inode") == about.st_ino else None

    def mark(self, dataset: Dataset, contents: Contents, manifest: str) -> None:
        """Record that a dataset is complete and verified."""
        about = self.layout.dataset(dataset).lstat()
        record = {
            "dataset": str(dataset),
            "digest": contents.digest,
            "files": len(contents.files),
            "bytes": contents.bytes,
            "device": about.st_dev,
            "inode": about.st_ino,
            "verified": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "manifest": manifest,
            **self._stamp(dataset),
        }
        wbnode.files.write_whole(self.layout.marker(dataset), json.dumps(record, indent=1).encode())

    def mark_read(self, dataset: Dataset) -> None:
        """Record that every byte of a verified dataset was read again and is right."""
        if record := self.record(dataset):
            now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
            text = json.dumps({**record, "read": now, **self._stamp(dataset)}, indent=1)
            wbnode.files.write_whole(self.layout.marker(dataset), text.encode())

    def touched(self, dataset: Dataset) -> bool:
        """Whether a name in a verified dataset came or went since it was verified.

        Its folders alone are looked at, and names only where one of them has changed: a server
        may have written there what does not belong to the dataset.
        """
        record = self.record(dataset) or {}
        root = self.layout.dataset(dataset)
        folders = record.get("folders", {})
        if all(wbnode.files.changed(root / path) == when for path, when in folders.items()):
            return False
        return bool(self._stamp(dataset)["names"] != record["names"])

    def _stamp(self, dataset: Dataset) -> dict[str, Any]:
        """The names in a dataset, by digest, and when its folders changed the last time."""
        left_out = excludes.left_out(self.settings, dataset.kind)
        names, folders = wbnode.files.names(self.layout.dataset(dataset), left_out)
        text = "\0".join(names).encode("utf-8", "surrogateescape")
        return {"names": hashlib.sha256(text).hexdigest(), "folders": folders}

    def amiss(self, dataset: Dataset, contents: Contents) -> list[str]:
        """Links and folders of a dataset, and owners and modes of its files, that are not as
        they were put in its place."""
        root, rule = self.layout.dataset(dataset), ownership(self.settings, dataset.kind)
        owner = ids(rule)
        modes = {
            path: file_mode(dataset.kind, path, file.mode) for path, file in contents.files.items()
        }
        modes |= dict.fromkeys(contents.folders, rule.folder_mode)
        wrong = [path for path, mode in modes.items() if not _is(root / path, owner, mode)]
        return sorted(wrong + [p for p, t in contents.links.items() if not _leads(root / p, t)])

    def take_over(self, dataset: Dataset, contents: Contents, root: Path) -> None:
        """Give everything of a dataset below ``root`` its owner and its mode."""
        rule = ownership(self.settings, dataset.kind)
        owner = ids(rule)
        for path in contents.links:
            wbnode.files.give_link(root, path, owner)
        for path, file in contents.files.items():
            wbnode.files.give(root, path, owner, file_mode(dataset.kind, path, file.mode))
        for path in ("", *contents.folders):
            wbnode.files.give(root, path, owner, rule.folder_mode)
        if dataset.kind == WEBAPP:
            wbnode.files.make_folder(root, "logs")
            wbnode.files.give(root, "logs", (-1, -1), LOGS_MODE)

    def install(self, datasets: Iterable[Dataset]) -> None:
        """Put fetched datasets in their places by rename, after one flush to the disk."""
        datasets = list(datasets)
        wbnode.files.flush(self.layout.incoming(dataset) for dataset in datasets)
        for dataset in datasets:
            place = self.layout.dataset(dataset)
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            if place.is_dir():
                self._put_away(dataset)
            os.rename(self.layout.incoming(dataset), place)
            _remove_if_empty(self.layout.incoming(dataset).parent, dataset)
        for folder in {self.layout.dataset(dataset).parent for dataset in datasets}:
            wbnode.files.flush_names(folder)

    def remove(self, dataset: Dataset) -> None:
        """Remove a dataset, and what was fetched of it by a pull that did not end: it is gone
        from its place before its first file is."""
        if dataset in self.present():
            self._put_away(dataset)
            self.sweep()
            _remove_if_empty(self.layout.dataset(dataset).parent, dataset)
        self._remove_incoming(dataset)

    def purge(self, datasets: Iterable[Dataset]) -> dict[str, int]:
        """Remove those of the datasets that are here, the parcels of their builds, and the
        manifests of which nothing is left; the bytes of each."""
        self.sweep()
        here, datasets = self._here(), list(datasets)
        freed = {one: self.size(one)["bytes"] for one in datasets if one in here}
        manifests = self._manifests(datasets)
        for dataset in freed:
            self.remove(dataset)
        for build in {str(dataset.build) for dataset in datasets}:
            wbnode.files.remove(self.layout.parcels / build)
        for name in manifests - self._manifests(self._here()):
            wbnode.files.remove(self.layout.manifest(parse_name(name)))
        self.give_back({dataset.kind for dataset in freed})
        return {str(dataset): count for dataset, count in freed.items()}

    def sweep(self) -> None:
        """Remove what was put away, also by a removal that did not end."""
        for kind in KINDS:
            wbnode.files.remove_in(self.layout.incoming_of(kind), self.layout.removed(kind))

    def clean(self, begun: Iterable[Dataset]) -> None:
        """Remove what removals and pulls that did not end have left, and of the datasets that
        were begun to be fetched these. For whoever holds the lock of pulls."""
        self.sweep()
        for kind in KINDS:
            wbnode.files.sweep(self.layout.incoming_of(kind))
        for dataset in begun:
            self._remove_incoming(dataset)

    def give_back(self, kinds: Iterable[str]) -> None:
        """See that the room of what was removed of these kinds is there soon."""
        # XFS gives back the blocks of removed files a little later, unless it is asked to.
        wbnode.files.flush({self.layout.kind(kind) for kind in kinds})

    def extra(self, dataset: Dataset, contents: Contents, root: Path) -> list[str]:
        """Paths below ``root`` that the manifest does not have, or has as something else."""
        found = wbnode.files.scan(root, ())
        wrong = (
            (found.files.keys() - contents.files.keys())
            | (found.links.keys() - contents.links.keys())
            | (found.folders - contents.folders)
            | found.odd.keys()
        )
        return sorted(wrong)

    def size(self, dataset: Dataset) -> dict[str, Any]:
        """Bytes and files of a dataset, or of what was fetched of it; whether it is verified."""
        record = self.record(dataset)
        if record:
            return {"bytes": record["bytes"], "files": record["files"], "verified": True}
        place = self.layout.dataset(dataset)
        found = wbnode.files.scan(place if place.is_dir() else self.layout.incoming(dataset), ())
        return {"bytes": found.bytes, "files": len(found.files), "verified": False}

    def holds(self, dataset: Dataset, contents: Contents) -> bool:
        """Whether what lies at a dataset's place is what the manifest says, read to the end."""
        place = self.layout.dataset(dataset)
        if not place.is_dir() or place.is_symlink():
            return False
        found = wbnode.files.scan(place, excludes.left_out(self.settings, dataset.kind))
        sizes = {path: about.size for path, about in found.files.items()}
        if sizes != {path: file.size for path, file in contents.files.items()} or (
            found.links,
            found.folders,
        ) != (contents.links, contents.folders):
            return False
        return verify(place, contents) == ([], [])

    def _here(self) -> set[Dataset]:
        return {*self.present(), *self.incoming()}

    def _manifests(self, datasets: Iterable[Dataset]) -> set[str]:
        """The names of the manifests that datasets may need: that of their build, that of the
        release of the webapp, and the one by which they came."""
        names = set()
        for one in datasets:
            names |= {str(one.build), (self.record(one) or {}).get("manifest", str(one.build))}
            names |= {one.name} if one.kind == WEBAPP else set()
        return names

    def _remove_incoming(self, dataset: Dataset) -> None:
        begun = self.layout.incoming(dataset)
        wbnode.files.remove_in(self.layout.incoming_of(dataset.kind), begun)
        _remove_if_empty(begun.parent, dataset)

    def _put_away(self, dataset: Dataset) -> None:
        for record in (self.layout.marker(dataset), self.layout.digests(dataset)):
            record.unlink(missing_ok=True)
        incoming = self.layout.incoming_of(dataset.kind)
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        away = self.layout.removed(dataset.kind).relative_to(incoming) / dataset.name
        with wbnode.files.own(incoming) as ours:
            (ours / away).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            wbnode.files.remove(ours / away)
            os.rename(self.layout.dataset(dataset), ours / away)


def _is(path: Path, owner: tuple[int, int], mode: int) -> bool:
    """Whether there is something with this owner and mode; others report what is missing."""
    try:
        about = path.lstat()
    except OSError:
        return True
    return (about.st_uid, about.st_gid) == owner and stat.S_IMODE(about.st_mode) == mode


def _leads(path: Path, target: str) -> bool:
    return path.is_symlink() and os.readlink(path) == target


def _remove_if_empty(folder: Path, dataset: Dataset) -> None:
    """The folder that a build's support datasets share goes with the last of them."""
    if dataset.kind == SUPPORT:
        with contextlib.suppress(OSError):
            folder.rmdir()


def ids(rule: Ownership) -> tuple[int, int]:
    """The numbers of an owner and a group on this node."""
    try:
        return pwd.getpwnam(rule.user).pw_uid, grp.getgrnam(rule.group).gr_gid
    except KeyError:
        raise StepFailed(
            f"the user {rule.user} or the group {rule.group} is missing here",
            "apply this node's states first: state.apply",
        ) from None


def _datasets(kind: str, home: Path) -> Iterator[Dataset]:
    depth = "WS*/*" if kind == SUPPORT else "*"
    for folder in sorted(home.glob(depth)):
        try:
            dataset = Dataset.parse(f"{kind}/{folder.relative_to(home)}")
        except BadRequest:
            continue
        if folder.is_dir():
            yield dataset
