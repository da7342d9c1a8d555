"""Parcels: how a dataset is made from an earlier version of it, with few bytes.

A parcel says of every file how a node gets it: it is the same as a file of the base; it is in
a segment, which is one patch for many small files or for a stretch of a large one; or it is a
MyISAM index that the node makes anew from the table and the index's first bytes.

Patches are made by zstd, which is fast, or by bsdiff, whose patches of rebuilt tables are a
fifth as large and take twenty times as long: of as many files as a budget of CPU allows.

Whatever a parcel says, the result is checked against the manifest, so it has to be safe to
read, and need not be trusted.
"""

from __future__ import annotations

import heapq
import json
import lzma
import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..build.manifest import Contents, parse_digest
from ..datasets import ACEDB, MYSQL, WEBAPP, Dataset
from ..errors import BadData, BadRequest
from .basis import basis_for

FORMAT = 1
# A patch is made and applied in memory: the new bytes of a segment, and those of its base.
SEGMENT_BYTES = 64 << 20
# Segments, or indexes, that are worked on at a time, here and on the nodes: as many as keep both
# cores of a small machine busy, in less than 1 GiB.
AT_ONCE = 2
# So far beside its own place a stretch of a large file is looked for in the base.
SLACK_BYTES = 16 << 20
ZSTD, BSDIFF = "zstd", "bsdiff"
# The same for bsdiff: it is faster on short stretches, and rows lie close to where they lay.
FINE_BYTES, FINE_SLACK = 512 << 10, 128 << 10
# Files too small for it to matter; and measured: the bytes that it does in a second of CPU.
FINE_LEAST = 128 << 10
FINE_SPEED = 3.3e6
# An index has to be so large before making it anew is worth the start of a program.
INDEX_BYTES = 64 << 10
# Measured: the bytes of an index that myisamchk makes in a second (docs/performance.md).
INDEX_SPEED = 15e6
_HEAD_BYTES = 64 << 10


@dataclass(frozen=True)
class Piece:
    """A stretch of a file, in bytes."""

    path: str
    offset: int
    size: int


@dataclass(frozen=True)
class Segment:
    """New pieces, one behind the other, and the pieces of the base that are most like them.

    part, size
        Digest and bytes of the patch between them, once it is made.
    """

    pieces: tuple[Piece, ...]
    base: tuple[Piece, ...]
    how: str = ZSTD
    part: str = ""
    size: int = 0


@dataclass(frozen=True)
class Parcel:
    """How ``dataset`` is made from ``base``.

    same
        Path → path in the base with the same bytes.
    heads
        Path of an index that is made anew → its first bytes.
    """

    dataset: Dataset
    base: Dataset
    same: Mapping[str, str] = field(default_factory=dict)
    heads: Mapping[str, bytes] = field(default_factory=dict)
    segments: Sequence[Segment] = ()

    @property
    def parts(self) -> dict[str, int]:
        """The parts it consists of: digest → bytes."""
        return {segment.part: segment.size for segment in self.segments}

    def scratch(self, contents: Contents) -> int:
        """Bytes that unpacking takes beside what it makes: the bases of ``AT_ONCE`` segments, and
        then as many indexes, which are sorted in files of about their own size."""
        segments = [_bytes(one.base) for one in self.segments]
        indexes = [contents.files[path].size for path in self.heads]
        return max(sum(heapq.nlargest(AT_ONCE, some)) for some in (segments, indexes))

    def to_bytes(self) -> bytes:
        """The parcel as it travels: equal parcels give equal bytes."""
        plain = {
            "format": FORMAT,
            "dataset": str(self.dataset),
            "base": str(self.base),
            "same": dict(self.same),
            "heads": {path: head.hex() for path, head in self.heads.items()},
            "segments": [_plain(segment) for segment in self.segments],
        }
        return lzma.compress(json.dumps(plain, sort_keys=True, separators=(",", ":")).encode())

    @classmethod
    def parse(cls, data: bytes, dataset: Dataset, base: Dataset, contents: Contents) -> Parcel:
        """The parcel in these bytes; BadData unless it gives every file of ``contents`` once
        and reads nothing outside the base."""
        try:
            plain = json.loads(lzma.decompress(data))
            parcel = cls(
                dataset,
                base,
                dict(plain["same"]),
                {path: bytes.fromhex(head) for path, head in plain["heads"].items()},
                tuple(map(_segment, plain["segments"])),
            )
            named = (plain["format"], plain["dataset"], plain["base"])
            if named != (FORMAT, str(dataset), str(base)):
                raise ValueError(f"it is another one: {named}")
            _check(parcel, contents)
        except (BadRequest, lzma.LZMAError, ValueError, KeyError, TypeError, EOFError) as error:
            raise BadData(
                f"the parcel of {dataset} from {base} can not be used: {error}",
                "remove it on the development server; it is made again by the next push",
            ) from None
        return parcel


def name_of(dataset: Dataset, base: Dataset) -> str:
    """The name of the file that says how ``dataset`` is made from ``base``, below the folder
    of all parcels: ``WS221/mysql.c_elegans_WS221.from.WS220.parcel``."""
    return f"{dataset.build}/{dataset.kind}.{dataset.folder}.from.{base.build}.parcel"


def part_of(dataset: Dataset, part: str) -> str:
    """The name of a part below the folder of all parcels."""
    return f"{dataset.build}/{part}.part"


def can_have(dataset: Dataset, base: Dataset) -> bool:
    """Whether a parcel may lead from ``base`` to ``dataset``: another version of the same
    thing. (A release of the webapp is small and not worth one.)"""
    return dataset.kind != WEBAPP and dataset != base and dataset.basis_stem == base.basis_stem


def wanted(
    pulls: Mapping[str, Sequence[str]], held: Mapping[str, Mapping[str, str]]
) -> list[dict[str, str]]:
    """The parcels that nodes have a use for: ``{dataset, base, digest}``, each once.

    pulls
        Node → ids of the datasets that it lacks.
    held
        Node → id of a dataset that it holds → its digest.
    """
    found = set()
    for node, lacking in pulls.items():
        here = [Dataset.parse(one) for one in held.get(node, {})]
        for dataset in map(Dataset.parse, lacking):
            base = basis_for(dataset, here)
            if base and can_have(dataset, base):
                found.add((str(dataset), str(base), held[node][str(base)]))
    return [dict(zip(("dataset", "base", "digest"), one, strict=True)) for one in sorted(found)]


def of_node(
    made: Mapping[str, Mapping[str, Mapping[str, int]]], lacking: Iterable[str], held: Iterable[str]
) -> dict[str, Mapping[str, int]]:
    """The parcels that a node fetches: dataset → what was said of its parcel.

    made
        Dataset → base → what was said of the parcel between them.
    lacking, held
        Ids of the datasets that the node lacks, and of those that it holds.
    """
    here = [Dataset.parse(one) for one in held]
    bases = {dataset: str(basis_for(Dataset.parse(dataset), here)) for dataset in lacking}
    found = {dataset: made.get(dataset, {}).get(base) for dataset, base in bases.items()}
    return {dataset: one for dataset, one in found.items() if one is not None}


@dataclass(frozen=True)
class Step:
    """From ``before``, what a dataset ``base`` holds, to ``contents``, what ``dataset`` holds.

    ``same`` are files that are in the base, path → path there; ``other`` the rest, path → its
    earlier version in the base, empty where there is none.
    """

    dataset: Dataset
    base: Dataset
    contents: Contents
    before: Contents
    same: Mapping[str, str]
    other: Mapping[str, str]

    @classmethod
    def between(cls, dataset: Dataset, base: Dataset, contents: Contents, before: Contents) -> Step:
        """The step between two datasets."""
        by_digest = {file.sha256: path for path, file in before.files.items()}
        same, other = {}, {}
        for path, file in sorted(contents.files.items()):
            twin = _counterpart(path, dataset, base, before)
            if twin and before.files[twin].sha256 == file.sha256:
                same[path] = twin
            elif file.sha256 in by_digest:
                same[path] = by_digest[file.sha256]
            else:
                other[path] = twin
        return cls(dataset, base, contents, before, same, other)

    def made_anew(self, link: float) -> list[str]:
        """The indexes that nodes make themselves rather than getting a patch, which would be a
        quarter of their bytes: where that is faster than the slowest link, ``link`` bytes a
        second."""
        files = self.contents.files
        return [
            path
            for path in self.other
            if self.dataset.kind == MYSQL
            and path.endswith(".MYI")
            and path.removesuffix(".MYI") + ".MYD" in files
            and files[path].size >= INDEX_BYTES
            and link < INDEX_SPEED
        ]

    def arranged(self, heads: Mapping[str, bytes], fine: Collection[str]) -> Parcel:
        """The parcel, its parts not made yet.

        heads
            The indexes that nodes make anew, with their first bytes.
        fine
            The files whose patches bsdiff makes.
        """
        coarse = [path for path in self.other if path not in heads and path not in fine]
        stretches = (one for path in coarse for one in self._cut(path, SEGMENT_BYTES, SLACK_BYTES))
        segments = list(_packed(stretches))
        for path in sorted(fine):
            for piece, like in self._cut(path, FINE_BYTES, FINE_SLACK):
                segments.append(Segment((piece,), (like,) if like else (), BSDIFF))
        return Parcel(self.dataset, self.base, self.same, heads, tuple(segments))

    def _cut(self, path: str, most: int, slack: int) -> Iterator[tuple[Piece, Piece | None]]:
        """A file in pieces of at most ``most`` bytes, each with its like in the base."""
        size, twin = self.contents.files[path].size, self.other[path]
        there = self.before.files[twin].size if twin else 0
        for offset in range(0, max(size, 1), most):
            piece = Piece(path, offset, min(most, size - offset))
            yield piece, _like(piece, size, twin, there, slack) if twin else None


def finest(
    steps: Sequence[Step], heads: Sequence[Collection[str]], seconds: float
) -> list[set[str]]:
    """Of each step the files whose patches bsdiff makes, within a budget of CPU seconds:
    first tables, whose renumbered rows zstd can not do much about, small ones before large.
    Never AceDB's blocks, which repeat themselves so that it takes minutes for a megabyte.

    heads
        Of each step the indexes that nodes make anew.
    """
    candidates = sorted(
        (not path.endswith(".MYD"), step.contents.files[path].size, number, path)
        for number, step in enumerate(steps)
        for path, twin in step.other.items()
        if twin
        and step.dataset.kind != ACEDB
        and path not in heads[number]
        and step.contents.files[path].size >= FINE_LEAST
    )
    chosen: list[set[str]] = [set() for _ in steps]
    for _, size, number, path in candidates:
        seconds -= size / FINE_SPEED
        if seconds < 0:
            break
        chosen[number].add(path)
    return chosen


def _counterpart(path: str, dataset: Dataset, base: Dataset, before: Contents) -> str:
    """The file of the base that is this one's earlier version, by name; empty without one."""
    renamed = path.replace(str(dataset.build), str(base.build))
    return next((one for one in (path, renamed) if one in before.files), "")


def _like(piece: Piece, size: int, twin: str, there: int, slack: int) -> Piece:
    """The stretch of the base's file in which most of a piece is found: what was added and
    removed before it is taken to be spread evenly over the file."""
    first = max(0, piece.offset * there // max(size, 1) - slack)
    last = min(there, (piece.offset + piece.size) * there // max(size, 1) + slack)
    return Piece(twin, first, min(last - first, piece.size + 2 * slack))


def _packed(stretches: Iterator[tuple[Piece, Piece | None]]) -> Iterator[Segment]:
    """Pieces together in segments, in their order, as many as one may hold."""
    pieces: list[Piece] = []
    base: list[Piece] = []
    # Running sums: a segment may hold every small file of a dataset, hundreds of thousands.
    given = read = 0
    for piece, like in stretches:
        size, like_size = piece.size, like.size if like else 0
        if pieces and (
            given + size > SEGMENT_BYTES or read + like_size > SEGMENT_BYTES + 2 * SLACK_BYTES
        ):
            yield Segment(tuple(pieces), tuple(base))
            pieces, base, given, read = [], [], 0, 0
        pieces.append(piece)
        base += [like] if like else []
        given, read = given + size, read + like_size
    if pieces:
        yield Segment(tuple(pieces), tuple(base))


def _bytes(pieces: Collection[Piece]) -> int:
    return sum(piece.size for piece in pieces)


def _check(parcel: Parcel, contents: Contents) -> None:
    given: dict[str, int] = {}
    for path in (*parcel.same, *parcel.heads):
        given[path] = given.get(path, 0) + contents.files[path].size
    for segment in parcel.segments:
        for piece in segment.pieces:
            if piece.offset != given.get(piece.path, 0):
                raise ValueError(f"{piece.path!r} is not given from its beginning to its end")
            given[piece.path] = piece.offset + piece.size
    if given != {path: file.size for path, file in contents.files.items()}:
        raise ValueError("it does not give every file once")
    read = [*parcel.same.values(), *(p.path for one in parcel.segments for p in one.base)]
    for path in read:
        if posixpath.isabs(path) or {"", ".", ".."} & set(path.split("/")) or "\0" in path:
            raise ValueError(f"the path {path!r} leaves the base")
    if any(len(head) > _HEAD_BYTES for head in parcel.heads.values()):
        raise ValueError("the beginning of an index is too long")


def _plain(segment: Segment) -> dict[str, Any]:
    return {
        "pieces": [[piece.path, piece.offset, piece.size] for piece in segment.pieces],
        "base": [[piece.path, piece.offset, piece.size] for piece in segment.base],
        "how": segment.how,
        "part": segment.part,
        "size": segment.size,
    }


def _segment(plain: Mapping[str, Any]) -> Segment:
    pieces, base = tuple(map(_piece, plain["pieces"])), tuple(map(_piece, plain["base"]))
    if max(_bytes(pieces), _bytes(base)) > SEGMENT_BYTES + 2 * SLACK_BYTES:
        raise ValueError("a segment is too large")
    if plain["how"] not in (ZSTD, BSDIFF):
        raise ValueError(f"nobody knows how to apply {plain['how']!r}")
    part, size = parse_digest(plain["part"]), _count(plain["size"])
    return Segment(pieces, base, plain["how"], part, size)


def _piece(plain: Sequence[Any]) -> Piece:
    path, offset, size = plain
    if not isinstance(path, str):
        raise ValueError("a piece has no path")
    return Piece(path, _count(offset), _count(size))


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no number of bytes")
    return value
