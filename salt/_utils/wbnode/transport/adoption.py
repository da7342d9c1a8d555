"""Taking over datasets where they lie: every byte is read and compared with the manifest."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from salt.exceptions import CommandExecutionError
from wbcore.build.manifest import Contents, Found, shown
from wbcore.datasets import MYSQL, Dataset
from wbcore.errors import ReleaseError
from wbcore.model import links
from wbcore.transport import excludes
from wbcore.transport.meter import Meter

import wbnode.files
from wbnode import read_only
from wbnode.transport import scrubbing
from wbnode.transport.pull import Pull

_SHOWN = 5


@dataclass
class Taken:
    """What became of a dataset.

    already
        Whether it was taken over before.
    files
        Files that were missing or wrong, ``amiss`` links and folders.
    extra
        Paths that the manifest does not have; they are left.
    source
        The node that gave wrong files again.
    error
        Why it could not be taken over.
    """

    bytes: int
    already: bool = False
    files: list[str] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    repaired: bool = False
    source: str = ""
    error: str = ""

    def plain(self) -> dict[str, Any]:
        """What JSON can hold; of the paths at most five."""
        faults = [*self.files, *self.amiss]
        return {
            "bytes": self.bytes,
            "already": self.already,
            "faults": len(faults),
            "shown": [shown(path) for path in faults[:_SHOWN]],
            "extra": len(self.extra),
            "shown_extra": [shown(path) for path in self.extra[:_SHOWN]],
            "repaired": self.repaired,
            "source": self.source,
            "error": self.error,
        }


def take_over(
    job: Pull,
    wanted: Mapping[Dataset, tuple[Contents, str]],
    meter: Meter,
    repair: bool,
    follow: Callable[[str], object],
) -> dict[Dataset, Taken]:
    """Take over these datasets, each with its contents and the name of its manifest; one that
    can not be taken over keeps no other from it.

    repair
        Whether wrong and missing files are fetched; without it such a dataset is left as it is.
    follow
        Given the kind of a live dataset that its server has to take up.
    """
    taken = {}
    for dataset, (contents, name) in wanted.items():
        taken[dataset] = one = Taken(contents.bytes)
        before = meter.done
        try:
            as_sealed = _take_over(job, dataset, contents, name, meter, repair, one)
            # A takeover that was killed may have left a table read-only that its server has open
            # for writing: who needs it a second time would be refused.
            stale = one.repaired or (as_sealed and dataset.kind == MYSQL)
            if stale and links.why_live(dataset, job.live):
                follow(dataset.kind)
            if as_sealed:
                job.store.mark(dataset, contents, name)
        except (ReleaseError, CommandExecutionError, OSError) as error:
            one.error = str(error)
        meter.at(str(dataset), before + contents.bytes)
    return taken


def _take_over(
    job: Pull,
    dataset: Dataset,
    contents: Contents,
    name: str,
    meter: Meter,
    repair: bool,
    taken: Taken,
) -> bool:
    """Whether the dataset lies here as it was sealed now, and only lacks its marker."""
    store, place = job.store, job.store.layout.dataset(dataset)
    record = store.record(dataset)
    if record and record["digest"] == contents.digest:
        taken.already = True
        return False
    if not os.path.lexists(place):
        taken.files = sorted(contents.files)
        if repair:
            taken.repaired, taken.source = True, _fetched(job, dataset, contents, meter, name)
        return False
    found = wbnode.files.scan(place, excludes.left_out(store.settings, dataset.kind))
    taken.extra = _extra(contents, found)
    taken.files = _wrong(job, dataset, contents, found, meter)
    taken.amiss = _amiss(contents, found)
    if (taken.files or taken.amiss) and not repair:
        return False
    if dataset.kind == MYSQL:
        # Old scripts leave tables writable, and the server may have them open so.
        read_only.make_read_only(store.layout.below(store.settings.mysql.socket), place)
    if taken.files or taken.amiss:
        taken.repaired = True
        taken.source = scrubbing.put_right(job, dataset, contents, taken.files)
    else:
        store.take_over(dataset, contents, place)
    return True


def _fetched(job: Pull, dataset: Dataset, contents: Contents, meter: Meter, name: str) -> str:
    return str(job.run({dataset: contents}, meter, name)[dataset]["source"])


def _wrong(
    job: Pull, dataset: Dataset, contents: Contents, found: Found, meter: Meter
) -> list[str]:
    """Files that are missing, or hold something else than was sealed. One of another size needs
    no reading."""
    sizes = {path: about.size for path, about in found.files.items()}
    alike = [path for path, file in contents.files.items() if sizes.get(path) == file.size]
    hashes = wbnode.files.digests(
        job.store.layout.dataset(dataset), alike, lambda _, count: meter.add(str(dataset), count)
    )
    return sorted(path for path, sha256 in contents.hashes().items() if hashes.get(path) != sha256)


def _amiss(contents: Contents, found: Found) -> list[str]:
    links_amiss = {path for path, to in contents.links.items() if found.links.get(path) != to}
    return sorted(links_amiss | (contents.folders - found.folders))


def _extra(contents: Contents, found: Found) -> list[str]:
    known = {*contents.files, *contents.links, *contents.folders}
    return sorted({*found.files, *found.links, *found.folders, *found.odd} - known)
