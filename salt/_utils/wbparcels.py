"""Making parcels on the development server: patches between two sealed datasets."""

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import wbfiles
import wbindex
import wbnode
from wbcore import parcels
from wbcore.datasets import MYSQL, Dataset
from wbcore.errors import BadData, StepFailed
from wbcore.layout import Layout
from wbcore.manifest import Contents
from wbcore.parcels import Parcel, Piece, Segment
from wbcore.settings import Settings

# Two segments at a time keep both cores of a small machine busy, in less than 1 GiB.
_AT_ONCE = 2
_LOOK = "see that zstd is installed and the disk has room, and start again"


@dataclass(frozen=True)
class Maker:
    """The parcels of this machine."""

    layout: Layout
    settings: Settings

    def make(
        self, dataset: Dataset, base: Dataset, contents: Contents, before: Contents
    ) -> dict[str, Any]:
        """Make the parcel from one dataset to another, unless it is made.

        Returns its size in bytes, and the seconds that it took.
        """
        began = time.monotonic()
        path = self.layout.parcels / parcels.name_of(dataset, base)
        parcel = self._made(path, dataset, base, contents)
        if parcel is None:
            planned = parcels.arrange(
                dataset, base, contents, before, self._heads(dataset, contents, before)
            )
            parcel = replace(planned, segments=self._parts(planned))
            wbfiles.write_whole(path, parcel.to_bytes())
        size = path.stat().st_size + sum(parcel.parts.values())
        return {"bytes": size, "seconds": round(time.monotonic() - began, 2)}

    def clean(self, wanted: Sequence[Dataset]) -> None:
        """Remove the parcels of other builds, and what was not finished."""
        keep = {str(dataset.build) for dataset in wanted}
        for folder in self.layout.parcels.glob("*"):
            if folder.name not in keep:
                wbfiles.remove(folder)

    def _made(
        self, path: Path, dataset: Dataset, base: Dataset, contents: Contents
    ) -> Parcel | None:
        with contextlib.suppress(FileNotFoundError, BadData):
            parcel = Parcel.parse(path.read_bytes(), dataset, base, contents)
            there = (self.layout.parcels / parcels.part_of(dataset, one) for one in parcel.parts)
            return parcel if all(part.exists() for part in there) else None
        return None

    def _heads(self, dataset: Dataset, contents: Contents, before: Contents) -> dict[str, bytes]:
        """The indexes that nodes can make themselves, and had better."""
        if dataset.kind != MYSQL:
            return {}
        link = self.settings.parcels.slowest_link * 1e6
        known = {file.sha256 for file in before.files.values()}
        indexes = [
            self.layout.dataset(dataset) / path
            for path, file in contents.files.items()
            if file.sha256 not in known and parcels.made_anew(dataset, path, contents, link)
        ]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            good = pool.map(wbindex.can_be_made, indexes)
            return {
                index.name: wbindex.head(index)
                for index, can in zip(indexes, good, strict=True)
                if can
            }

    def _parts(self, parcel: Parcel) -> list[Segment]:
        folder = (self.layout.parcels / parcels.part_of(parcel.dataset, "x")).parent
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda segment: self._part(parcel, segment), parcel.segments))

    def _part(self, parcel: Parcel, segment: Segment) -> Segment:
        """The segment with its patch made, named after what it holds."""
        with wbfiles.scratch(self.layout.parcels) as scratch:
            new = joined(self.layout.dataset(parcel.dataset), segment.pieces, scratch / "new")
            made = scratch / "part"
            zstd = ["zstd", "-q", "-f", f"-{self.settings.parcels.level}", "--long=31"]
            if segment.base:
                base = joined(self.layout.dataset(parcel.base), segment.base, scratch / "base")
                zstd.append(f"--patch-from={base}")
            wbnode.command([*zstd, new, "-o", made], _LOOK)
            name = hashlib.file_digest(made.open("rb"), "sha256").hexdigest()
            os.chmod(made, 0o644)
            size = made.stat().st_size
            os.replace(made, self.layout.parcels / parcels.part_of(parcel.dataset, name))
        return replace(segment, part=name, size=size)


def joined(root: Path, pieces: Sequence[Piece], beside: Path) -> Path:
    """A file with these pieces of the files below ``root``, one behind the other: the file
    itself when it is all there is, else a copy at ``beside``."""
    if len(pieces) == 1:
        path = root / pieces[0].path
        if (pieces[0].offset, pieces[0].size) == (0, path.stat().st_size):
            return path
    with beside.open("wb") as stream:
        for piece in pieces:
            for chunk in _read(root / piece.path, piece):
                stream.write(chunk)
    return beside


def _read(path: Path, piece: Piece) -> Iterator[bytes]:
    left = piece.size
    with path.open("rb", buffering=0) as stream:
        stream.seek(piece.offset)
        while left and (chunk := stream.read(min(left, shutil.COPY_BUFSIZE))):
            left -= len(chunk)
            yield chunk
    if left:
        raise StepFailed(f"{path} is shorter than it was when it was sealed", _LOOK)
