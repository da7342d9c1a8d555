"""Whether the tables of a build work on another server, by a look at their files."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from wbcore.build.manifest import Found, shown
from wbcore.build.tables import (
    ARIA,
    CSV,
    DEFINITION_HEAD,
    INDEX,
    MERGE,
    MYISAM,
    VIEW,
    Definition,
    Table,
    asked,
    is_crashed_csv,
    merged,
    missing,
    of_data,
    parts,
    tables,
)
from wbcore.datasets import MYSQL, Dataset
from wbcore.layout import Layout

# Both only look, whatever the server has open, and say on a line of its own what is wrong.
_PROGRAMS = {
    MYISAM: ["myisamchk", "--no-defaults", "--silent", "--read-only", "--check"],
    ARIA: ["aria_chk", "--no-defaults", "--silent", "--read-only", "--check",
           "--ignore-control-file"],
}  # fmt: skip
_AT_ONCE = 2
# A table with one of these opens on the server that wrote it, and nowhere else.
_NOT_CLOSED = ("is marked as crashed", "hasn't closed the table properly")


@dataclass(frozen=True)
class Tables:
    """The tables of MySQL datasets as they lie on disk.

    databases
        Directory of each live name, in the build.
    found
        Every MySQL dataset of the build.
    """

    layout: Layout
    databases: Mapping[str, str]
    found: Mapping[Dataset, Found]

    def problems(self, datasets: Iterable[Dataset]) -> list[str]:
        """Why tables of these datasets can not be served elsewhere, each with its way out."""
        return [
            f"{dataset}: {problem}"
            for dataset in datasets
            for table in tables(dataset.name, self.found[dataset].files)
            for problem in self._problems(dataset, table)
        ]

    def crashed(self, datasets: Iterable[Dataset]) -> list[str]:
        """Tables of these datasets that are broken, by what their own programs say; every index
        is read. What the server holds in memory has to be on disk."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            said = pool.map(lambda one: (one, self._fault(*one)), list(self._files(datasets)))
            return [f"{one[0]}: {_repair(one[1], why)}" for one, why in said if why]

    def without_files(self, datasets: Iterable[Dataset]) -> list[Table]:
        """MERGE tables and views, of which only a server can say whether they work."""
        return [table for _, table, one in self._all(datasets) if one.engine in (MERGE, VIEW)]

    def indexes(self, datasets: Iterable[Dataset], engine: str) -> Iterator[Path]:
        """The index of each table of an engine, or of each of its partitions."""
        for dataset, table, definition in self._all(datasets):
            if definition.engine == engine:
                for part in parts(table, definition, self.found[dataset].files):
                    yield self.layout.dataset(dataset) / f"{part}{INDEX[engine]}"

    def _all(self, datasets: Iterable[Dataset]) -> Iterator[tuple[Dataset, Table, Definition]]:
        """What can be served, as far as its files show."""
        for dataset in datasets:
            for table in tables(dataset.name, self.found[dataset].files):
                if not list(self._problems(dataset, table)):
                    yield dataset, table, _definition(self.layout.dataset(dataset), table)

    def _files(
        self, datasets: Iterable[Dataset]
    ) -> Iterator[tuple[Dataset, Table, Definition, str]]:
        for dataset, table, definition in self._all(datasets):
            if definition.engine in (MYISAM, ARIA, CSV):
                for part in parts(table, definition, self.found[dataset].files):
                    yield dataset, table, definition, part

    def _fault(self, dataset: Dataset, table: Table, definition: Definition, part: str) -> str:
        folder = self.layout.dataset(dataset)
        if definition.engine == CSV:
            meta = (folder / f"{part}.CSM").read_bytes()
            return "it was not closed" if is_crashed_csv(meta) else ""
        return _said([*_PROGRAMS[definition.engine], folder / f"{part}{INDEX[definition.engine]}"])

    def _problems(self, dataset: Dataset, table: Table) -> Iterator[str]:
        folder, found = self.layout.dataset(dataset), self.found[dataset]
        try:
            definition = _definition(folder, table)
        except (OSError, ValueError) as error:
            yield f"{table} can not be read: {error}; run DROP TABLE {table} and load it again"
            return
        elsewhere = [path for path in found.links if of_data(path) == table.stem]
        if not definition.movable:
            yield (
                f"{table} is a table of {definition.engine}, which can not be moved by copying"
                f" files; run ALTER TABLE {table} ENGINE=MyISAM"
            )
        elif elsewhere:
            yield (
                f"{table} has files in another directory ({shown(elsewhere[0])} leads to"
                f" {shown(found.links[elsewhere[0]])}), by DATA DIRECTORY or INDEX DIRECTORY; run"
                " SET sql_mode = 'NO_DIR_IN_CREATE';"
                f" ALTER TABLE {table} ENGINE={definition.engine}"
            )
        elif lost := missing(table, definition, found.files):
            yield (
                f"{table} lacks its file {shown(lost[0])}; run DROP TABLE {table} and load it again"
            )
        elif definition.engine == MERGE:
            yield from self._unmerged(folder, table)
        elif definition.engine == VIEW:
            yield from self._strangers(folder, table)

    def _unmerged(self, folder: Path, table: Table) -> Iterator[str]:
        listed = list(merged(table, _text(folder / f"{table.stem}.MRG")))
        good = [one for one in listed if self._is_mergeable(one)]
        if lost := [str(one) for one in listed if one not in good]:
            union = ", ".join(map(str, good))
            yield (
                f"the MERGE table {table} needs {', '.join(lost)}, which is no MyISAM table of the"
                f" databases of the build; run ALTER TABLE {table} UNION=({union}), or"
                f" DROP TABLE {table}"
            )

    def _is_mergeable(self, table: Table) -> bool:
        dataset = Dataset(MYSQL, self.databases.get(table.directory, table.directory))
        found = self.found.get(dataset)
        if found is None or f"{table.stem}.frm" not in found.files:
            return False
        try:
            definition = _definition(self.layout.dataset(dataset), table)
        except (OSError, ValueError):
            return False
        return definition == Definition(MYISAM)

    def _strangers(self, folder: Path, table: Table) -> Iterator[str]:
        home = self.layout.kind(MYSQL)
        known = {*self.databases, *(dataset.name for dataset in self.found)}
        # A name that is no database may be that of a table in the query itself.
        names = asked(_text(folder / f"{table.stem}.frm")) - known
        if strangers := sorted(name for name in names if (home / name).exists()):
            yield (
                f"the view {table} asks the database {', '.join(strangers)}, which is none of the"
                f" build; run DROP VIEW {table}, or make it anew of tables of the build"
            )


def asking(folder: Path, databases: set[str]) -> list[Table]:
    """Views and MERGE tables in a directory that ask for tables by the name of one of these
    databases."""
    found = []
    for table in tables(folder.name, (path.name for path in folder.glob("*.frm"))):
        engine = _definition(folder, table).engine
        if engine == VIEW:
            names = asked(_text(folder / f"{table.stem}.frm"))
        elif engine == MERGE:
            text = _text(folder / f"{table.stem}.MRG")
            names = {one.directory for one in merged(table, text)}
        else:
            continue
        if names & databases:
            found.append(table)
    return found


def _definition(folder: Path, table: Table) -> Definition:
    with (folder / f"{table.stem}.frm").open("rb") as stream:
        return Definition.parse(stream.read(DEFINITION_HEAD))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="surrogateescape")


def _said(argv: list[str | Path]) -> str:
    """What a program says is wrong with a table; empty when nothing is."""
    done = subprocess.run(
        [str(word) for word in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd="/", text=True, errors="replace", check=False,
    )  # fmt: skip
    lines = [line.partition(": ")[2] for line in done.stdout.splitlines()]
    worst = [line for line in lines if done.returncode and line.startswith("error: ")]
    open_still = [line for line in lines if line.endswith(_NOT_CLOSED)]
    found = worst or open_still or ([f"{argv[0]} fails"] if done.returncode else [])
    return found[0].partition(": ")[2] or found[0] if found else ""


def _repair(table: Table, why: str) -> str:
    said = " ".join(why.split())
    return f"{table} is crashed, or somebody writes to it ({said}); run REPAIR TABLE {table}"
