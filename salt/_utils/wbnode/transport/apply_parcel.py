"""Making a dataset from an earlier one and a parcel, on a node.

Nothing here is trusted: whatever comes out is checked against the manifest afterwards, and a
file that came out wrong, since the base or a part was not what it was taken for, is fetched.
"""

import contextlib
import logging
import os
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wbcore.build.manifest import Contents
from wbcore.errors import ReleaseError
from wbcore.layout import Layout
from wbcore.transport.parcels import AT_ONCE, Parcel, Segment, part_of

import wbnode.files
from wbnode.build import myisam_index
from wbnode.transport import patch

log = logging.getLogger(__name__)
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Unpacking:
    """One parcel on its way to a directory ``root``, whose folders are made."""

    layout: Layout
    parcel: Parcel
    contents: Contents
    root: Path

    def run(self, tell: Callable[[int], object], but: Collection[str] = ()) -> None:
        """Make every file, ``but`` some indexes; ``tell`` gets the bytes that are done."""
        base, done = self.layout.dataset(self.parcel.base), 0
        for path in self.contents.files:
            (self.root / path).unlink(missing_ok=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for path, twin in self.parcel.same.items():
                self._trying(path, _copy, base / twin, self.root / path)
                done += self.contents.files[path].size
            tell(done)
            for size in pool.map(self._segment, self.parcel.segments):
                done += size
                tell(done)
            heads = [one for one in self.parcel.heads.items() if one[0] not in but]
            list(pool.map(self._index, heads))
        for path, file in self.contents.files.items():
            with contextlib.suppress(FileNotFoundError):
                os.utime(self.root / path, ns=(file.mtime_ns, file.mtime_ns))

    def _segment(self, segment: Segment) -> int:
        self._trying(segment.pieces[0].path, self._patch, segment)
        return sum(piece.size for piece in segment.pieces)

    def _index(self, head: tuple[str, bytes]) -> None:
        self._trying(head[0], myisam_index.make, self.root / head[0], head[1])

    def _trying(self, what: str, function: Callable[..., object], *arguments: object) -> None:
        try:
            function(*arguments)
        except (OSError, EOFError, ReleaseError) as error:
            log.warning("%s: %s was not made: %s", self.parcel.dataset, what, error)

    def _patch(self, segment: Segment) -> None:
        part = self.layout.parcels / part_of(self.parcel.dataset, segment.part)
        before = self.layout.dataset(self.parcel.base)
        with wbnode.files.scratch(self.layout.incoming_of(self.parcel.dataset.kind)) as scratch:
            base = patch.joined(before, segment.base, scratch / "base") if segment.base else None
            with patch.applied(segment.how, base, part, scratch) as stream:
                for piece in segment.pieces:
                    _write(stream, self.root / piece.path, piece.offset, piece.size)


def _copy(source: Path, target: Path) -> None:
    """Copy a file; where the file system can, the copy shares its blocks until one is written."""
    with source.open("rb", buffering=0) as old, target.open("wb", buffering=0) as new:
        left = os.fstat(old.fileno()).st_size
        while left and (count := os.copy_file_range(old.fileno(), new.fileno(), left)):
            left -= count


def _write(stream: IO[bytes], path: Path, offset: int, size: int) -> None:
    """Write the next bytes of a stream into a stretch of a file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while size and (chunk := stream.read(min(size, _CHUNK))):
            os.pwrite(descriptor, chunk, offset)
            offset, size = offset + len(chunk), size - len(chunk)
    finally:
        os.close(descriptor)
    if size:
        raise EOFError("the patch ended early")
