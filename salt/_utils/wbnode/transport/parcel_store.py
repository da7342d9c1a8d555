"""The parcels of a node: fetched from a source, kept for siblings until the next build."""

import contextlib
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from wbcore.build.manifest import Contents
from wbcore.datasets import Dataset
from wbcore.errors import BadData
from wbcore.layout import Layout
from wbcore.transport import parcels, rsync
from wbcore.transport.parcels import Parcel
from wbcore.transport.rsync import Source

import wbnode.files
from wbnode.transport.carrier import Carrier


@dataclass
class ParcelStore:
    """Parcels on this node.

    ``received`` counts the bytes that came over the wire; ``complaints`` says of a source, by
    its node, what was wrong with a parcel there.
    """

    layout: Layout
    carrier: Carrier
    complaints: dict[str, str] = field(default_factory=dict)
    received: int = 0

    def fetch(
        self, source: Source, pairs: Mapping[Dataset, tuple[Dataset, Contents]]
    ) -> dict[Dataset, Parcel]:
        """The parcels that a source has of these datasets (each with its base here), with most of
        their parts at least."""
        names = {dataset: parcels.name_of(dataset, base) for dataset, (base, _) in pairs.items()}
        self._fetch(source, list(names.values()), rsync.LIKE)
        found = {}
        for dataset, (base, contents) in pairs.items():
            try:
                data = (self.layout.parcels / names[dataset]).read_bytes()
                found[dataset] = Parcel.parse(data, dataset, base, contents)
            except FileNotFoundError:
                continue
            except BadData as error:
                self.complaints[source.node] = error.what
        wrong = self._fetch_parts(source, found)
        return {dataset: one for dataset, one in found.items() if _is_worth_it(one, wrong)}

    def clean(self, wanted: Sequence[Dataset]) -> None:
        """Remove the parcels of other builds."""
        wbnode.files.keep_only(self.layout.parcels, {str(dataset.build) for dataset in wanted})

    def size(self, parcel: Parcel) -> int:
        """Bytes of a parcel with its parts."""
        index = self.layout.parcels / parcels.name_of(parcel.dataset, parcel.base)
        return index.stat().st_size + sum(parcel.parts.values())

    def _fetch_parts(self, source: Source, found: Mapping[Dataset, Parcel]) -> set[str]:
        """Fetch what is lacking of parcels; the parts that are not what their names say."""
        wanted = {
            parcels.part_of(dataset, part): part
            for dataset, parcel in found.items()
            for part in parcel.parts
        }
        # What is not as it should be is taken for the beginning of it first, then fetched anew.
        for _ in range(2):
            wanted = {name: part for name, part in wanted.items() if not self._is(name, part)}
            if not wanted:
                break
            self._fetch(source, list(wanted), rsync.GO_ON)
            wanted = {name: part for name, part in wanted.items() if not self._is(name, part)}
            for name in wanted:
                self.complaints[source.node] = f"the part {name} is not what its name says"
                (self.layout.parcels / name).unlink(missing_ok=True)
        return set(wanted.values())

    def _is(self, name: str, part: str) -> bool:
        with (
            contextlib.suppress(FileNotFoundError),
            (self.layout.parcels / name).open("rb") as stream,
        ):
            return hashlib.file_digest(stream, "sha256").hexdigest() == part
        return False

    def _fetch(self, source: Source, names: Sequence[str], way: Sequence[str]) -> None:
        self.layout.parcels.mkdir(parents=True, exist_ok=True)
        fetched = self.carrier.fetch(
            source, rsync.PARCELS, "", sorted(names), self.layout.parcels, way=way
        )
        self.received += fetched.received


def _is_worth_it(parcel: Parcel, wrong: Collection[str]) -> bool:
    """Whether most of a parcel is there: files whose parts are not are fetched whole."""
    lost = sum(size for part, size in parcel.parts.items() if part in wrong)
    return lost * 2 <= sum(parcel.parts.values())
