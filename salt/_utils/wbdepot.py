"""The parcels of a node: fetched from a source, kept for siblings until the next build."""

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import wbfiles
from wbcarrier import Carrier, SourceFailed
from wbcore import parcels, transfer
from wbcore.datasets import Dataset
from wbcore.errors import BadData
from wbcore.layout import Layout
from wbcore.manifest import Contents
from wbcore.parcels import Parcel
from wbcore.transfer import Source


class Spoilt(SourceFailed):
    """A source has something else than what was sealed."""


@dataclass
class Depot:
    """Parcels on this node; ``received`` counts the bytes that came over the wire."""

    layout: Layout
    carrier: Carrier
    received: int = 0

    def fetch(
        self, source: Source, pairs: Mapping[Dataset, tuple[Dataset, Contents]]
    ) -> dict[Dataset, Parcel]:
        """The parcels that a source has of these datasets (each with its base here), with all
        their parts; Spoilt when a part is not what its name says."""
        names = {dataset: parcels.name_of(dataset, base) for dataset, (base, _) in pairs.items()}
        self._fetch(source, list(names.values()), transfer.LIKE)
        found = {}
        for dataset, (base, contents) in pairs.items():
            with contextlib.suppress(FileNotFoundError):
                path = self.layout.parcels / names[dataset]
                found[dataset] = _parsed(path.read_bytes(), source, dataset, base, contents)
        self._parts(source, found)
        return found

    def clean(self, wanted: Sequence[Dataset]) -> None:
        """Remove the parcels of other builds."""
        keep = {str(dataset.build) for dataset in wanted}
        for folder in self.layout.parcels.glob("*"):
            if folder.name not in keep:
                wbfiles.remove(folder)

    def size(self, parcel: Parcel) -> int:
        """Bytes of a parcel with its parts."""
        index = self.layout.parcels / parcels.name_of(parcel.dataset, parcel.base)
        return index.stat().st_size + sum(parcel.parts.values())

    def _parts(self, source: Source, found: Mapping[Dataset, Parcel]) -> None:
        wanted = {
            parcels.part_of(dataset, part): part
            for dataset, parcel in found.items()
            for part in parcel.parts
        }
        # What is not as it should be is taken for the beginning of it first, then fetched anew.
        for _ in range(2):
            wanted = {name: part for name, part in wanted.items() if not self._is(name, part)}
            if not wanted:
                return
            self._fetch(source, list(wanted), transfer.GO_ON)
            for name, part in wanted.items():
                if not self._is(name, part):
                    (self.layout.parcels / name).unlink(missing_ok=True)
        wrong = [name for name, part in wanted.items() if not self._is(name, part)]
        if wrong:
            raise Spoilt(f"the part {wrong[0]} is not what its name says", "", source.node)

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
            source, transfer.PARCELS, "", sorted(names), self.layout.parcels, way=way
        )
        self.received += fetched.received


def _parsed(
    data: bytes, source: Source, dataset: Dataset, base: Dataset, contents: Contents
) -> Parcel:
    try:
        return Parcel.parse(data, dataset, base, contents)
    except BadData as error:
        raise Spoilt(error.what, "", source.node) from error
