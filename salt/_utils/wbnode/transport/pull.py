"""Pulling the datasets of a manifest: fetched beside, verified, put in place."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from wbcore.build.manifest import Contents, Manifest, digest_of, shown
from wbcore.datasets import Dataset
from wbcore.errors import BadData, StepFailed
from wbcore.model import links
from wbcore.names import Build, Release
from wbcore.transport import parcels, rsync
from wbcore.transport.basis import basis_for
from wbcore.transport.meter import Meter
from wbcore.transport.parcels import Parcel
from wbcore.transport.rsync import Source

import wbnode.files
from wbnode.dataset_store import DatasetStore
from wbnode.transport.apply_parcel import Unpacking
from wbnode.transport.carrier import Carrier, SourceFailed
from wbnode.transport.parcel_store import ParcelStore
from wbnode.verify import verify

# Every source is asked so often before a pull fails; a network may be back by then.
_ROUNDS = 3
_PAUSE_SECONDS = 3
T = TypeVar("T")


class NotThere(SourceFailed):
    """A source does not have what was asked of it, or not yet."""


class Spoilt(SourceFailed):
    """A source has something else than what was sealed."""


@dataclass
class Pull:
    """One pull, from several sources in the order to be tried.

    ``passed_over`` says of a source, by its node, what was wrong with it; ``received``
    counts the bytes that came over the wire; ``mended`` are files that a parcel did not give
    as they were sealed.
    """

    store: DatasetStore
    carrier: Carrier
    sources: Sequence[Source]
    live: Mapping[str, str]
    passed_over: dict[str, str] = field(default_factory=dict)
    received: int = 0
    mended: list[str] = field(default_factory=list)
    _parcels: dict[Dataset, tuple[Parcel, int]] = field(default_factory=dict)
    _broken: set[str] = field(default_factory=set)

    def manifest(self, name: Build | Release, digest: str) -> Manifest:
        """The manifest with this digest, fetched unless it is here."""
        path = self.store.layout.manifest(name)
        if path.exists() and digest_of(path.read_bytes()) == digest:
            return Manifest.parse(path.read_bytes(), name)
        incoming = path.parent / ".incoming"
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

        def fetch(source: Source) -> bytes:
            fetched = self.carrier.fetch(source, rsync.MANIFESTS, "", [path.name], incoming)
            if not (incoming / path.name).exists():
                raise NotThere(fetched.complaint or "it has no manifest", "", source.node)
            data = (incoming / path.name).read_bytes()
            (incoming / path.name).unlink()
            if digest_of(data) != digest:
                raise Spoilt(f"its manifest of {name} is another one", "", source.node)
            return data

        data, _ = self._try(f"the manifest of {name}", fetch)
        wbnode.files.write_whole(path, data)
        return Manifest.parse(data, name)

    def clean(self, wanted: Sequence[Dataset]) -> None:
        """Remove what earlier pulls of the same things for other builds left unfinished."""
        stems = {dataset.basis_stem for dataset in wanted}
        self.store.clean(
            begun
            for begun in self.store.incoming()
            if begun.basis_stem in stems and begun not in wanted
        )
        self._parcel_store().clean(wanted)

    def has(self, dataset: Dataset, contents: Contents, name: str) -> bool:
        """Whether a dataset is here as it was sealed; one without a marker is read for it."""
        record = self.store.record(dataset)
        if record and record["digest"] == contents.digest:
            return True
        if not self.store.holds(dataset, contents):
            return False
        self.store.take_over(dataset, contents, self.store.layout.dataset(dataset))
        self.store.mark(dataset, contents, name)
        return True

    def run(
        self, lacking: Mapping[Dataset, Contents], meter: Meter, name: str
    ) -> dict[Dataset, dict[str, Any]]:
        """Fetch datasets and put them in place; what each took.

        When one can not be had, those that were fetched before it are put in place still.
        """
        fetched: dict[Dataset, dict[str, Any]] = {}
        self._fetch_parcels(lacking)
        try:
            for dataset, contents in lacking.items():
                fetched[dataset] = self.fetch(dataset, contents, meter)
        finally:
            self.store.install(fetched)
            for dataset in fetched:
                self.store.mark(dataset, lacking[dataset], name)
            self.store.sweep()
        return fetched

    def fetch(self, dataset: Dataset, contents: Contents, meter: Meter) -> dict[str, Any]:
        """Fetch a dataset into its incoming directory and verify it; what it took."""
        link = links.why_live(dataset, self.live)
        if link and self.store.layout.dataset(dataset).exists():
            raise BadData(
                f"{dataset} is live here ({link}) and is not what was sealed",
                "take this node out of the pool, move its links to another build, start again",
            )
        began, before = time.monotonic(), meter.done
        received = self.received - self._parcels.get(dataset, (None, 0))[1]
        _, source = self._try(
            str(dataset), lambda source: self._from(source, dataset, contents, meter, before)
        )
        meter.at(str(dataset), before + contents.bytes)
        root = self.store.layout.incoming(dataset)
        self._tidy(dataset, contents, root)
        for path, target in contents.links.items():
            wbnode.files.link(root, path, target)
        self.store.take_over(dataset, contents, root)
        seconds = round(time.monotonic() - began, 2)
        received = self.received - received
        source_and_cost = {"received": received, "seconds": seconds, "source": source.node}
        return {**source_and_cost, "already": False}

    def mend(self, dataset: Dataset, contents: Contents, paths: Collection[str]) -> str:
        """Put files of a dataset right where it lies; the node that gave them.

        Each is replaced by rename: whoever reads meanwhile has the file from before or the
        right one.
        """
        place = self.store.layout.dataset(dataset)
        files = {path: contents.files[path] for path in paths}
        part = Contents(files, {}, contents.folders)
        with wbnode.files.scratch(self.store.layout.incoming_of(dataset.kind)) as root:
            self._folders(part, root)

            def fetch(source: Source) -> None:
                complaint = self._rsync(source, dataset, sorted(files), root=root, way=rsync.ANEW)
                self._refuse(source, dataset, root, *verify(root, part), complaint)

            _, source = self._try(str(dataset), fetch)
            self.store.take_over(dataset, part, root)
            wbnode.files.flush([root])
            self._folders(part, place)
            for path in files:
                wbnode.files.put(root / path, place, path)
        return source.node

    def _from(
        self, source: Source, dataset: Dataset, contents: Contents, meter: Meter, before: int
    ) -> None:
        """Fetch what is lacking from one source, and again whatever came wrong.

        With a parcel most files are made here, and what it did not give as sealed is fetched
        whole from the same source. Without one rsync goes by the basis and by what an earlier
        pull left; a file that came wrong (a basis that had rotted, with the same size and time)
        is then fetched anew. Files that are missing are no fault of the basis: they are left to
        the next source.
        """
        root = self.store.layout.incoming(dataset)
        self._prepare(dataset, contents, root)

        def tell(done: int) -> None:
            meter.at(str(dataset), before + done)

        parcel, _ = self._parcels.pop(dataset, (None, 0))
        complaint = ""
        if parcel:
            # Within a site a link carries an index faster than it is made.
            fetched = list(parcel.heads) if self.carrier.near(source) else []
            Unpacking(self.store.layout, parcel, contents, root).run(tell, fetched)
            if fetched:
                complaint = self._rsync(source, dataset, fetched, way=rsync.ANEW)
        else:
            paths, basis = sorted(contents.files), self._basis(dataset)
            complaint = self._rsync(source, dataset, paths, basis=basis, tell=tell)
        missing, wrong = verify(root, contents)
        if parcel:
            self.mended += [f"{dataset}/{shown(path)}" for path in (*missing, *wrong)]
        if (wrong and not missing) or (parcel and missing):
            complaint = self._rsync(source, dataset, [*missing, *wrong], way=rsync.ANEW)
            missing, wrong = verify(root, contents)
        self._refuse(source, dataset, root, missing, wrong, complaint)

    def _refuse(
        self,
        source: Source,
        dataset: Dataset,
        root: Path,
        missing: Sequence[str],
        wrong: Sequence[str],
        complaint: str,
    ) -> None:
        """Spoilt or NotThere, when not all that a source gave below ``root`` is as sealed."""
        for path in wrong:
            (root / path).unlink()
        if wrong:
            raise Spoilt(f"{dataset}/{shown(wrong[-1])} is not what was sealed", "", source.node)
        if missing:
            why = complaint or "it is not there"
            raise NotThere(f"{dataset}/{shown(missing[0])}: {why}", "", source.node)

    def _rsync(
        self,
        source: Source,
        dataset: Dataset,
        paths: Sequence[str],
        root: Path | None = None,
        **how: Any,
    ) -> str:
        """Fetch files of a dataset, into its incoming directory or into ``root``; what could
        not be had of them."""
        root = root or self.store.layout.incoming(dataset)
        fetched = self.carrier.fetch(source, dataset.kind, dataset.name, paths, root, **how)
        self.received += fetched.received
        return fetched.complaint

    def _fetch_parcels(self, lacking: Mapping[Dataset, Contents]) -> None:
        """Fetch the parcels that lead from what is here to what is lacking, where a source has
        them; whatever they do not give is fetched without."""
        verified = [other for other in self.store.present() if self.store.record(other)]
        bases = {dataset: basis_for(dataset, verified) for dataset in lacking}
        pairs = {
            dataset: (base, lacking[dataset])
            for dataset, base in bases.items()
            if base and parcels.can_have(dataset, base)
        }
        if not pairs:
            return
        parcel_store = self._parcel_store()
        found, _ = self._try("parcels", lambda source: parcel_store.fetch(source, pairs))
        sizes = {dataset: parcel_store.size(parcel) for dataset, parcel in found.items()}
        for dataset, parcel in found.items():
            share = parcel_store.received * sizes[dataset] // sum(sizes.values())
            self._parcels[dataset] = (parcel, share)
        self.received += parcel_store.received
        self.passed_over |= parcel_store.complaints

    def _parcel_store(self) -> ParcelStore:
        return ParcelStore(self.store.layout, self.carrier)

    def _prepare(self, dataset: Dataset, contents: Contents, root: Path) -> None:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._tidy(dataset, contents, root)
        self._folders(contents, root)

    def _folders(self, contents: Contents, root: Path) -> None:
        for path in sorted(contents.folders):
            wbnode.files.make_folder(root, path)

    def _tidy(self, dataset: Dataset, contents: Contents, root: Path) -> None:
        for path in self.store.extra(dataset, contents, root):
            wbnode.files.remove(root / path)

    def _basis(self, dataset: Dataset) -> list[Path]:
        """What lies at its place already, and its newest relative, a verified one at best."""
        present = self.store.present()
        verified = [other for other in present if self.store.record(other)]
        older = basis_for(dataset, verified) or basis_for(dataset, present)
        candidates = ([dataset] if dataset in present else []) + ([older] if older else [])
        return [self.store.layout.dataset(candidate) for candidate in candidates]

    def _try(self, what: str, attempt: Callable[[Source], T]) -> tuple[T, Source]:
        """Ask one source after another, and all of them again after a pause.

        BadData when every source has something else than what was sealed, StepFailed when
        all fail for other reasons.
        """
        spoilt: dict[str, Spoilt] = {}
        for turn in range(_ROUNDS):
            for source in self._in_order(spoilt):
                try:
                    return attempt(source), source
                except SourceFailed as failed:
                    self.passed_over[source.node] = failed.what
                    if isinstance(failed, Spoilt):
                        spoilt[source.node] = failed
                    elif not isinstance(failed, NotThere):
                        self._broken.add(source.node)
            if len(spoilt) == len(self.sources):
                raise _bad_data(spoilt)
            if turn + 1 < _ROUNDS:
                time.sleep(_PAUSE_SECONDS)
        reasons = "; ".join(f"{node}: {why}" for node, why in self.passed_over.items())
        raise StepFailed(
            f"{what} could not be fetched ({reasons})", "see to the first of them and start again"
        )

    def _in_order(self, spoilt: Mapping[str, object]) -> list[Source]:
        """The sources as they were given, those that broke off behind the others."""
        usable = [source for source in self.sources if source.node not in spoilt]
        return sorted(usable, key=lambda source: source.node in self._broken)


def _bad_data(spoilt: Mapping[str, Spoilt]) -> BadData:
    node, failed = next(iter(spoilt.items()))
    return BadData(
        f"{failed.what} on {node}", "restore the file there, or seal the build again, start again"
    )
