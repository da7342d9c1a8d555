"""Making parcels on the development server: patches between sealed datasets."""

import contextlib
import hashlib
import logging
import os
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from wbcore.datasets import Dataset
from wbcore.errors import BadData
from wbcore.layout import Layout
from wbcore.settings import Settings
from wbcore.transport import parcels
from wbcore.transport.meter import Meter
from wbcore.transport.parcels import AT_ONCE, Parcel, Segment, Step

import wbnode.files
from wbnode.build import myisam_index
from wbnode.transport import patch

MeterOf = Callable[[int], Meter]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Maker:
    """The parcels of this machine."""

    layout: Layout
    settings: Settings

    def make(self, steps: Sequence[Step], meter_of: MeterOf) -> list[Parcel | None]:
        """Make the parcel of each step, unless it is made; None for one that the disk has no room
        for. The parcels of other builds go.

        meter_of
            Makes the meter of so many bytes, which are those that the parcels lead to.
        """
        self._clean([step.dataset for step in steps])
        lacking = [step for step in steps if self._made(step) is None]
        meter = meter_of(sum(step.contents.bytes for step in lacking))
        heads = [self._heads(step) for step in lacking]
        fine = parcels.finest(lacking, heads, self.settings.parcels.fine_seconds)
        for step, of_step, in_fine in zip(lacking, heads, fine, strict=True):
            before = meter.done
            try:
                self._make(step, of_step, in_fine, meter)
            except wbnode.files.NoRoom as error:
                log.warning("%s: no parcel was made: %s", step.dataset, error)
                self._drop_unfinished(steps)
            # What nodes make themselves is in no segment.
            meter.at(str(step.dataset), before + step.contents.bytes)
        return [self._made(step) for step in steps]

    def size(self, parcel: Parcel) -> int:
        """Bytes of a parcel with its parts."""
        index = self.layout.parcels / parcels.name_of(parcel.dataset, parcel.base)
        return index.stat().st_size + sum(parcel.parts.values())

    def _make(
        self, step: Step, heads: dict[str, bytes], fine: Collection[str], meter: Meter
    ) -> None:
        parcel = step.arranged(heads, fine)
        folder = self._part(step.dataset, "").parent
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            made = []
            for segment in pool.map(lambda one: self._segment(parcel, one), parcel.segments):
                made.append(segment)
                meter.add(str(step.dataset), sum(piece.size for piece in segment.pieces))
        index = replace(parcel, segments=tuple(made)).to_bytes()
        wbnode.files.write_whole(self._path(step), index)

    def _made(self, step: Step) -> Parcel | None:
        with contextlib.suppress(FileNotFoundError, BadData):
            data = self._path(step).read_bytes()
            parcel = Parcel.parse(data, step.dataset, step.base, step.contents)
            if all(self._part(step.dataset, part).exists() for part in parcel.parts):
                return parcel
        return None

    def _path(self, step: Step) -> Path:
        return self.layout.parcels / parcels.name_of(step.dataset, step.base)

    def _part(self, dataset: Dataset, part: str) -> Path:
        return self.layout.parcels / parcels.part_of(dataset, part)

    def _clean(self, wanted: Sequence[Dataset]) -> None:
        """Remove the parcels of other builds, and what was not finished."""
        wbnode.files.keep_only(self.layout.parcels, {str(dataset.build) for dataset in wanted})

    def _drop_unfinished(self, steps: Sequence[Step]) -> None:
        """Remove the parts that no parcel of these has."""
        made = [parcel for parcel in map(self._made, steps) if parcel]
        used = {self._part(one.dataset, part) for one in made for part in one.parts}
        for part in {self._part(step.dataset, "*") for step in steps}:
            for path in set(part.parent.glob(part.name)) - used:
                path.unlink()

    def _heads(self, step: Step) -> dict[str, bytes]:
        """The indexes that nodes can make themselves, and had better."""
        home = self.layout.dataset(step.dataset)
        indexes = [home / path for path in step.made_anew(self.settings.parcels.slowest_link * 1e6)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            good = list(pool.map(myisam_index.can_be_made, indexes))
        return {
            str(index.relative_to(home)): myisam_index.head(index)
            for index, can in zip(indexes, good, strict=True)
            if can
        }

    def _segment(self, parcel: Parcel, segment: Segment) -> Segment:
        """The segment with its patch made, named after what it holds."""
        with wbnode.files.scratch(self.layout.parcels) as scratch:
            # The patch is rarely larger than what it gives.
            sizes = [one.size for one in (*segment.pieces, *segment.pieces, *segment.base)]
            wbnode.files.refuse_full(scratch, sum(sizes), self.settings.datasets.headroom_percent)
            home, before = map(self.layout.dataset, (parcel.dataset, parcel.base))
            new = patch.joined(home, segment.pieces, scratch / "new")
            base = patch.joined(before, segment.base, scratch / "base") if segment.base else None
            part = scratch / "part"
            how = patch.make(segment.how, self.settings.parcels.level, base, new, part)
            with part.open("rb") as stream:
                name = hashlib.file_digest(stream, "sha256").hexdigest()
            os.chmod(part, 0o644)
            size = part.stat().st_size
            os.replace(part, self._part(parcel.dataset, name))
        return replace(segment, how=how, part=name, size=size)
