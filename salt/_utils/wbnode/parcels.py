"""Making parcels on the development server: patches between sealed datasets."""

import contextlib
import hashlib
import os
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from wbcore import parcels
from wbcore.datasets import Dataset
from wbcore.errors import BadData
from wbcore.layout import Layout
from wbcore.parcels import Parcel, Segment, Step
from wbcore.settings import Settings

import wbnode.files
import wbnode.index
import wbnode.patch

# Two segments at a time keep both cores of a small machine busy, in less than 1 GiB.
_AT_ONCE = 2


@dataclass(frozen=True)
class Maker:
    """The parcels of this machine."""

    layout: Layout
    settings: Settings

    def make(self, steps: Sequence[Step]) -> list[int]:
        """Make the parcel of each step, unless it is made; the bytes of each. The parcels of
        other builds go."""
        self._clean([step.dataset for step in steps])
        lacking = [step for step in steps if self._made(step) is None]
        heads = [self._heads(step) for step in lacking]
        fine = parcels.finest(lacking, heads, self.settings.parcels.fine_seconds)
        for each in zip(lacking, heads, fine, strict=True):
            self._make(*each)
        return [self._bytes(step) for step in steps]

    def _make(self, step: Step, heads: dict[str, bytes], fine: Collection[str]) -> None:
        parcel = step.arranged(heads, fine)
        folder = self._part(step.dataset, "").parent
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            made = tuple(pool.map(lambda one: self._segment(parcel, one), parcel.segments))
        wbnode.files.write_whole(self._path(step), replace(parcel, segments=made).to_bytes())

    def _made(self, step: Step) -> Parcel | None:
        with contextlib.suppress(FileNotFoundError, BadData):
            data = self._path(step).read_bytes()
            parcel = Parcel.parse(data, step.dataset, step.base, step.contents)
            if all(self._part(step.dataset, part).exists() for part in parcel.parts):
                return parcel
        return None

    def _bytes(self, step: Step) -> int:
        parcel = self._made(step)
        assert parcel is not None
        return self._path(step).stat().st_size + sum(parcel.parts.values())

    def _path(self, step: Step) -> Path:
        return self.layout.parcels / parcels.name_of(step.dataset, step.base)

    def _part(self, dataset: Dataset, part: str) -> Path:
        return self.layout.parcels / parcels.part_of(dataset, part)

    def _clean(self, wanted: Sequence[Dataset]) -> None:
        """Remove the parcels of other builds, and what was not finished."""
        wbnode.files.keep_only(self.layout.parcels, {str(dataset.build) for dataset in wanted})

    def _heads(self, step: Step) -> dict[str, bytes]:
        """The indexes that nodes can make themselves, and had better."""
        home = self.layout.dataset(step.dataset)
        indexes = [home / path for path in step.made_anew(self.settings.parcels.slowest_link * 1e6)]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            good = list(pool.map(wbnode.index.can_be_made, indexes))
        return {
            str(index.relative_to(home)): wbnode.index.head(index)
            for index, can in zip(indexes, good, strict=True)
            if can
        }

    def _segment(self, parcel: Parcel, segment: Segment) -> Segment:
        """The segment with its patch made, named after what it holds."""
        with wbnode.files.scratch(self.layout.parcels) as scratch:
            home, before = map(self.layout.dataset, (parcel.dataset, parcel.base))
            new = wbnode.patch.joined(home, segment.pieces, scratch / "new")
            assert new is not None
            base = wbnode.patch.joined(before, segment.base, scratch / "base")
            part = scratch / "part"
            how = wbnode.patch.make(segment.how, self.settings.parcels.level, base, new, part)
            with part.open("rb") as stream:
                name = hashlib.file_digest(stream, "sha256").hexdigest()
            os.chmod(part, 0o644)
            size = part.stat().st_size
            os.replace(part, self._part(parcel.dataset, name))
        return replace(segment, how=how, part=name, size=size)
