"""The development server's side of a build: what is staged, and the making of manifests."""

import functools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wbcore.build.manifest import (
    Contents,
    File,
    Found,
    Manifest,
    Stat,
    link_problem,
    shown,
    written_by_server,
)
from wbcore.build.tables import ARIA, of_data
from wbcore.datasets import ACEDB, MYSQL, SUPPORT, WEBAPP, Dataset
from wbcore.errors import BadData, BadRequest
from wbcore.layout import Layout
from wbcore.model import links
from wbcore.names import Build, Release
from wbcore.settings import Settings
from wbcore.transport import excludes
from wbcore.transport.meter import Meter
from wbcore.transport.ownership import file_mode
from wbcore.transport.parcels import INDEX_BYTES

import wbnode.files
from wbnode import read_only
from wbnode.build import aria_pages, myisam_index, opening
from wbnode.build.tables import Tables

# Indexes that are brought into their form at a time: each takes 128 MB of memory.
_AT_ONCE = 2


@dataclass(frozen=True)
class Look:
    """What a build consists of before it is sealed, and why it can not be sealed yet."""

    databases: Mapping[str, str]
    found: Mapping[Dataset, Found]
    problems: list[str]

    def moved(self, later: "Look") -> list[str]:
        """Files that a later look has not, or of another size or time, or that it has anew."""
        return sorted(path for path, _ in self._files() ^ later._files())

    def _files(self) -> set[tuple[str, tuple[int, int]]]:
        return {
            (f"{dataset}/{shown(path)}", _changing(path, stat))
            for dataset, found in self.found.items()
            for path, stat in found.files.items()
        }


@dataclass(frozen=True)
class Staging:
    """Builds and webapp releases on this machine."""

    layout: Layout
    settings: Settings

    def is_staged(self, build: Build) -> bool:
        """Whether the AceDB and the support databases of a build are here."""
        acedb = self.layout.kind(ACEDB) / f"wormbase_{build}"
        return acedb.is_dir() and (self.layout.kind(SUPPORT) / str(build)).is_dir()

    def is_ready(self, build: Build) -> bool:
        """Whether the builders have declared that they are done with a build."""
        return (self.layout.build(build) / "READY").exists()

    def builds(self) -> list[Build]:
        """Every build that is staged, oldest first."""
        names = (folder.name for folder in self.layout.kind(SUPPORT).glob("WS*"))
        return sorted(build for build in _builds(names) if self.is_staged(build))

    def manifest(self, name: Build | Release) -> Manifest | None:
        """The manifest made when a build or a webapp release was sealed, if it was."""
        try:
            data = self.layout.manifest(name).read_bytes()
        except FileNotFoundError:
            return None
        return Manifest.parse(data, name)

    def sealed_contents(self, dataset: Dataset) -> Contents | None:
        """What a dataset held when a build was sealed with it, if one was."""
        names = [dataset.build, *sorted(self._sealed(), reverse=True)]
        for manifest in map(self.manifest, names):
            if manifest and dataset in manifest.datasets:
                return manifest.datasets[dataset]
        return None

    def look(self, name: Build | Release, live: Mapping[str, str] | None = None) -> Look:
        """What would be sealed under a name, by a look at names, sizes and definitions of
        tables; with these databases, or with those that this machine's links lead to."""
        problems: list[str] = []
        if isinstance(name, Release):
            databases, datasets = {}, [Dataset(WEBAPP, str(name))]
        else:
            chosen = self._databases(problems) if live is None else self._named(live, problems)
            databases = dict(chosen)
            datasets = [Dataset(ACEDB, f"wormbase_{name}")]
            datasets += [Dataset(MYSQL, folder) for folder in sorted(set(databases.values()))]
            datasets += self._support(name, problems)
        found = self.find(datasets)
        for dataset, what in found.items():
            odd = {**what.odd, **self._stray(dataset, what)}
            problems += [f"{dataset}/{shown(path)} {why}" for path, why in odd.items()]
        look = Look(databases, found, problems)
        problems += self._tables(look).problems(self._unsealed(look))
        return look

    def crashed(self, look: Look, ask: opening.Ask) -> list[str]:
        """The tables that are broken, of those that no build was sealed with yet; every index of
        them is read. Whatever the server holds in memory is written to disk first.

        ask
            Asks the MySQL server of this machine, if one runs.
        """
        tables, unsealed = self._tables(look), self._unsealed(look)
        socket = self.layout.below(self.settings.mysql.socket)
        if not unsealed or not socket.exists():
            return tables.crashed(unsealed)
        ask("FLUSH TABLES")
        names = [str(table) for table in tables.without_files(unsealed)]
        return tables.crashed(unsealed) + [
            f"{MYSQL}: {name} can not be opened ({why}); see CHECK TABLE {name}, and make it anew"
            for name, why in opening.faults(ask, names).items()
        ]

    def tables(self, name: Build | Release) -> list[Dataset]:
        """The MySQL directories here that were made for a build."""
        home = self.layout.kind(MYSQL)
        return [Dataset(MYSQL, path.name) for path in home.glob(f"*_{name}") if path.is_dir()]

    def find(self, datasets: Iterable[Dataset]) -> dict[Dataset, Found]:
        """These datasets as they are on disk."""
        return {
            dataset: wbnode.files.scan(
                self.layout.dataset(dataset), excludes.left_out(self.settings, dataset.kind)
            )
            for dataset in datasets
        }

    def changed(self, sealed: Manifest) -> list[str]:
        """Paths whose size or time is not what it was when they were sealed."""
        return self._added(sealed) + _changed(sealed, self.find(sealed.datasets))

    def check(self, sealed: Manifest) -> None:
        """BadData naming a file that is not what was sealed, even with its time put back."""
        found = self.find(sealed.datasets)
        changed = self._added(sealed) + _changed(sealed, found) or [
            path
            for dataset, what in found.items()
            for path in _differing(dataset, sealed.of(dataset), self._contents(dataset, what, None))
        ]
        if changed:
            raise BadData(
                f"{changed[0]} was changed after {sealed.name} was sealed",
                "put the file back; if the change is meant and nothing was released of "
                f"{sealed.name} yet, run wb_build.unseal {sealed.name} and start again",
            )

    def protect(self, datasets: Iterable[Dataset]) -> None:
        """Take from MySQL the right to write to the tables of these datasets, and let its group,
        as a member of which the carrier reads, into them: a server makes them its user's alone.
        StepFailed names a table that somebody reads for long."""
        tables = [dataset for dataset in datasets if dataset.kind == MYSQL]
        socket = self.layout.below(self.settings.mysql.socket)
        for home in map(self.layout.dataset, tables):
            read_only.make_read_only(socket, home)
            home.chmod(home.stat().st_mode & 0o7777 | 0o050)
        self._give_modes(tables, lambda path, mode: file_mode(MYSQL, path, mode))

    def release(self, datasets: Iterable[Dataset]) -> bool:
        """Give MySQL the right to write to the tables of these datasets back; whether it had not
        got it."""
        return self._give_modes(datasets, lambda _, mode: mode | 0o220)

    def make(self, name: Build | Release, look: Look, meter: Meter) -> Manifest:
        """The manifest of what a look found; every file is read that was not read before."""
        datasets = {
            dataset: self._contents(dataset, found, meter) for dataset, found in look.found.items()
        }
        manifest = Manifest(name, look.databases, datasets)
        changed = self.changed(manifest)
        if changed:
            raise BadData(
                f"{changed[0]} changed while {name} was being sealed",
                "wait until nothing writes there, and start again",
            )
        self._check_against_others(manifest)
        return manifest

    def _give_modes(self, datasets: Iterable[Dataset], mode: Callable[[str, int], int]) -> bool:
        touched = False
        tables = [dataset for dataset in datasets if dataset.kind == MYSQL]
        for dataset, found in self.find(tables).items():
            for path, stat in found.files.items():
                if stat.mode != mode(path, stat.mode):
                    home = self.layout.dataset(dataset)
                    wbnode.files.give(home, path, (-1, -1), mode(path, stat.mode))
                    touched = True
        return touched

    def _added(self, sealed: Manifest) -> list[str]:
        """What stands beside the support databases and did not when they were sealed."""
        if isinstance(sealed.name, Release):
            return []
        home = self.layout.kind(SUPPORT) / str(sealed.name)
        known = {dataset.folder for dataset in sealed.datasets if dataset.kind == SUPPORT}
        left_out = self.settings.datasets.support_exclude
        return [
            f"{SUPPORT}/{sealed.name}/{shown(name)}"
            for name in sorted(os.listdir(home))
            if name not in known and not excludes.excluded(name, left_out)
        ]

    def _stray(self, dataset: Dataset, found: Found) -> dict[str, str]:
        """The links in a dataset that can not travel, and why; the pillar may allow a webapp's."""
        allowed = self.settings.webapp.outside_links if dataset.kind == WEBAPP else ()
        stray = {
            path: problem
            for path, target in found.links.items()
            if not excludes.excluded(path, allowed)
            # It is told with its table.
            and not (dataset.kind == MYSQL and f"{of_data(path)}.frm" in found.files)
            and (problem := link_problem(dataset, path, target))
        }
        if dataset.kind == WEBAPP:
            way_out = ", or list the link under webapp:outside_links in the pillar"
            return {path: problem + way_out for path, problem in stray.items()}
        return stray

    def _databases(self, problems: list[str]) -> Iterator[tuple[str, str]]:
        """The databases of this machine's MySQL: link and directory (docs/field.md, "Paths")."""
        home = self.layout.kind(MYSQL)
        for link in sorted(path for path in home.glob("[!.]*") if path.is_symlink()):
            target = Path(os.readlink(link))
            try:
                dataset = links.dataset_of(f"{MYSQL}/{link.name}", target.name)
            except BadRequest as error:
                problems.append(f"the MySQL link {link.name}: {error}")
                continue
            if target.parent not in (Path(), home) or not (home / target.name).is_dir():
                problems.append(
                    f"the MySQL link {link.name} points to {shown(str(target))}, which is no "
                    f"directory in {home}; link it to one, or remove it"
                )
                continue
            yield link.name, dataset.name

    def _named(self, live: Mapping[str, str], problems: list[str]) -> Iterator[tuple[str, str]]:
        """Those of the databases that are live elsewhere which are here."""
        for database, directory in live.items():
            dataset = links.dataset_of(f"{MYSQL}/{database}", directory)
            if self.layout.dataset(dataset).is_dir():
                yield database, dataset.name
            else:
                place = self.layout.dataset(dataset)
                problems.append(f"{dataset} is live and is not here; copy it to {place}")

    def _support(self, build: Build, problems: list[str]) -> Iterator[Dataset]:
        """The folders of support databases of a build."""
        home = self.layout.kind(SUPPORT) / str(build)
        for entry in sorted(os.scandir(home), key=lambda entry: entry.name):
            if excludes.excluded(entry.name, self.settings.datasets.support_exclude):
                continue
            where = f"databases/{build}/{shown(entry.name)}"
            if not entry.is_dir(follow_symlinks=False):
                problems.append(f"{where} is no folder; move it into one, or out of {build}")
                continue
            try:
                yield Dataset.parse(f"{SUPPORT}/{build}/{entry.name}")
            except BadRequest:
                problems.append(f"{where} has a name that can not travel; rename it")

    def _contents(self, dataset: Dataset, found: Found, meter: Meter | None) -> Contents:
        """A dataset with the digests of its files, remembered for the next time."""
        record = self.layout.digests(dataset)
        known = {
            path: known
            for path, known in _remembered(record).items()
            if path in found.files and known[:-1] == _touched(found.files[path])
        }
        unknown = found.files.keys() - known.keys()
        if meter:
            meter.add(str(dataset), sum(found.files[path].size for path in known))
        tell = (lambda _, count: meter.add(str(dataset), count)) if meter else _tell_nobody
        fresh = wbnode.files.digests(self.layout.dataset(dataset), sorted(unknown), tell)
        if unreadable := sorted(unknown - fresh.keys()):
            raise BadData(
                f"{dataset}/{shown(unreadable[0])} can not be read", "see the log of the disk"
            )
        if fresh:
            known |= {
                path: [*_touched(found.files[path]), sha256] for path, sha256 in fresh.items()
            }
            wbnode.files.write_whole(record, json.dumps(known).encode())
        files = {path: _file(stat, known[path][-1]) for path, stat in found.files.items()}
        return Contents(files, found.links, found.folders)

    def _sealed(self) -> Iterator[Build]:
        """Builds that were sealed."""
        return _builds(path.stem for path in self.layout.manifests.glob("WS*.json"))

    def normalise(self, name: Build, look: Look) -> bool:
        """Bring the indexes of the tables that were made for a build into the form in which
        nodes can make them, and make Aria tables portable that no build was sealed with yet;
        whether any was in another form."""
        wbnode.files.sweep(self.layout.incoming_of(MYSQL))
        indexes = [
            path
            for dataset in look.found
            if dataset.kind == MYSQL and dataset.build == name
            for path in sorted(self.layout.dataset(dataset).glob("*.MYI"))
            if path.stat().st_size >= INDEX_BYTES and path.with_suffix(".MYD").exists()
        ]
        aria = list(self._tables(look).indexes(self._unsealed(look), ARIA))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            done = [*pool.map(myisam_index.normalise, indexes)]
            done += pool.map(aria_pages.make_portable, aria)
        return any(done)

    def _tables(self, look: Look) -> Tables:
        """The tables in what was found."""
        tables = {dataset: what for dataset, what in look.found.items() if dataset.kind == MYSQL}
        return Tables(self.layout, look.databases, tables)

    def _unsealed(self, look: Look) -> list[Dataset]:
        """MySQL datasets that no build was sealed with; what was sealed is not changed."""
        tables = [dataset for dataset in look.found if dataset.kind == MYSQL]
        return [dataset for dataset in tables if dataset not in self._sealed_before]

    @functools.cached_property
    def _sealed_before(self) -> set[Dataset]:
        manifests = filter(None, map(self.manifest, self._sealed()))
        return {dataset for manifest in manifests for dataset in manifest.datasets}

    def _check_against_others(self, manifest: Manifest) -> None:
        """A directory keeps what it held when another build was sealed with it."""
        others = filter(None, map(self.manifest, self._sealed()))
        for other in others:
            for dataset in manifest.datasets.keys() & other.datasets.keys():
                differing = _differing(dataset, other.of(dataset), manifest.of(dataset))
                if differing:
                    raise BadData(
                        f"{differing[0]} was changed after {other.name} was sealed",
                        "put it back, or give what is new a directory of its own, named after "
                        f"{manifest.name}, and link that",
                    )


def _builds(names: Iterable[str]) -> Iterator[Build]:
    for name in names:
        try:
            yield Build.parse(name)
        except BadRequest:
            continue


def _changed(sealed: Manifest, found: Mapping[Dataset, Found]) -> list[str]:
    return [
        f"{dataset}/{shown(path)}"
        for dataset, contents in sealed.datasets.items()
        for path in contents.changed(found[dataset])
    ]


def _differing(dataset: Dataset, was: Contents, now: Contents) -> list[str]:
    if was.digest == now.digest:
        return []
    both = {path for path, _ in was.hashes().items() ^ now.hashes().items()}
    return [f"{dataset}/{shown(path)}" for path in sorted(both)] or [str(dataset)]


def _changing(path: str, stat: Stat) -> tuple[int, int]:
    """What of a file changes when somebody writes to it, the server's own notes aside."""
    return stat.size, 0 if written_by_server(path) else stat.mtime_ns


def _touched(stat: Stat) -> list[int]:
    return [stat.size, stat.mtime_ns, stat.inode, stat.ctime_ns]


def _file(stat: Stat, sha256: str) -> File:
    return File(stat.size, stat.mtime_ns, stat.mode, sha256)


def _remembered(record: Path) -> dict[str, list[Any]]:
    try:
        remembered: dict[str, list[Any]] = json.loads(record.read_bytes())
        return remembered
    except (FileNotFoundError, ValueError):
        return {}


def _tell_nobody(what: str, count: int) -> None:
    """Checking a sealed build reads little, so it reports no progress."""
