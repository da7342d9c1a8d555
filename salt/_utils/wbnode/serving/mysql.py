"""Which build of each database the running MySQL server serves.

A server keeps its tables open when a live link moves. So the directories whose files it has open
count, not the links. Somebody may also have asked for tables by the name of a directory, such as
``c_elegans_WS221``, while the live name ``c_elegans`` still leads elsewhere. The server lists
under which names each table is open, and that tells the two apart.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from wbcore.datasets import MYSQL
from wbcore.errors import StepFailed
from wbcore.layout import Layout
from wbcore.names import build_of_directory

from . import processes

Ask = Callable[[str], list[str]]
# Database → names of its tables.
Tables = Mapping[str, set[str]]
# Database without its build, table → directories.
Places = Mapping[tuple[str, str], set[str]]

_PLAIN = re.compile(r"[A-Za-z0-9_]+")
_DATA = (".MYD", ".MAD")
_OPEN = "SHOW OPEN TABLES"
_LOOK = "look at MariaDB's unit on this node (wormbase:mysql:service in the pillar)"


def client(socket: Path, seconds: float) -> Ask:
    """Asks the server that listens at a socket as the user of this process, who logs in by it."""

    def ask(statement: str) -> list[str]:
        try:
            done = subprocess.run(
                [
                    *("mariadb", "--no-defaults", f"--socket={socket}"),
                    *("--batch", "--skip-column-names"),
                ],
                input=statement,
                capture_output=True,
                text=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StepFailed(f"MySQL does not answer within {seconds:.0f} s", _LOOK) from None
        if done.returncode:
            raise StepFailed(f"MySQL says {done.stderr.strip()[-300:]!r}", _LOOK)
        return done.stdout.splitlines()

    return ask


def builds(layout: Layout, socket: Path, ask: Ask) -> dict[str, str]:
    """The build of each live database of the server at a socket: ``{database: "WS221"}``.

    A live database is a link to a directory of it, such as ``c_elegans_WS221``. StepFailed names
    a database that can not be asked, or whose open tables are of two builds.
    """
    names = _live(layout)
    try:
        return _builds(layout, socket, ask, names)
    except _Unclear:
        # Somebody may have flushed the tables, or opened some, between two looks.
        return _builds(layout, socket, ask, names)


def _builds(layout: Layout, socket: Path, ask: Ask, names: list[str]) -> dict[str, str]:
    if not names:
        return {}
    before = _opened(ask(_OPEN))
    if questions := [_question(layout, name, before) for name in names if not before.get(name)]:
        before = _opened(ask(";".join([*questions, _OPEN])))
    places = _places(socket)
    after = _opened(ask(_OPEN))
    return {
        name: str(build_of_directory(_Database(layout, ask, name, before, after, places).directory))
        for name in names
    }


class _Unclear(StepFailed):
    """What is open of a database does not show one directory."""


class _Database:
    """A live database, and what is open of it."""

    def __init__(
        self, layout: Layout, ask: Ask, name: str, before: Tables, after: Tables, places: Places
    ) -> None:
        self._home, self._ask, self._name = layout.kind(MYSQL), ask, name
        tables = before.get(name, set()) & after.get(name, set())
        self._places = {table: places[name, table] for table in tables if (name, table) in places}
        self._by_directory = [
            (database, table)
            for opened in (before, after)
            for database in opened
            if _base(database) == name
            for table in opened[database]
        ]

    @property
    def directory(self) -> str:
        """The one directory whose tables are open under the live name."""
        found = set[str]().union(*map(self._known, self._places)) or self._measured()
        if len(found) != 1:
            shown = " and ".join(sorted(found)) or "no table that can be told apart"
            raise _Unclear(
                f"MySQL's {self._name} has {shown} open",
                "run FLUSH TABLES in MariaDB on this node",
            )
        return found.pop()

    def _known(self, table: str) -> set[str]:
        """Where a table can only be open under the live name."""
        others = {database for database, one in self._by_directory if one == table}
        there = self._places[table]
        return there if len(there) == 1 else there - others

    def _measured(self) -> set[str]:
        """Where a table lies that looks as the one which is open under the live name: each is
        open under the names of all its directories, too."""
        if not self._places:
            return set()
        rows = self._ask(
            "SELECT table_name, data_length, UNIX_TIMESTAMP(update_time)"
            f" FROM information_schema.tables WHERE table_schema = '{self._name}'"
            f" AND table_name IN ({', '.join(map(repr, sorted(self._places)))})"
        )
        for table, *facts in (row.split("\t") for row in rows):
            same = {one for one in self._places[table] if self._facts(one, table) == facts}
            if len(same) == 1:
                return same
        return set()

    def _facts(self, directory: str, table: str) -> list[str]:
        """Size and time of a table's data, as the server tells them."""
        for suffix in _DATA:
            with contextlib.suppress(FileNotFoundError):
                stat = (self._home / directory / f"{table}{suffix}").stat()
                return [str(stat.st_size), str(int(stat.st_mtime))]
        return []


def _live(layout: Layout) -> list[str]:
    links = (path for path in layout.kind(MYSQL).glob("[!.]*") if path.is_symlink())
    return sorted(path.name for path in links if _base(path.readlink().name) == path.name)


def _base(directory: str) -> str:
    """The database of a directory, ``c_elegans`` of ``c_elegans_WS221``; empty for any other."""
    name, _, _ = directory.rpartition("_")
    return name if build_of_directory(directory) and _PLAIN.fullmatch(name) else ""


def _question(layout: Layout, name: str, opened: Tables) -> str:
    """Has the server open a table under the live name, if possible one that nobody has open."""
    files = (path.name for path in (layout.kind(MYSQL) / name).glob("*.M[AY]I"))
    tables = sorted({table for table in map(_table, files) if _PLAIN.fullmatch(table)})
    if not tables:
        raise StepFailed(
            f"MySQL's {name} has no MyISAM or Aria table to be asked for",
            "look at the directory that its link leads to",
        )
    busy = set[str]().union(*(opened[one] for one in opened if _base(one) == name))
    table = next((one for one in tables if one not in busy), tables[0])
    return f"SELECT 1 FROM `{name}`.`{table}` LIMIT 1"


def _opened(rows: Iterable[str]) -> Tables:
    """The tables that the server has open, by the name under which somebody asked for them."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        # An answer to a question before has one field.
        database, _, rest = row.partition("\t")
        if rest:
            found[database].add(rest.split("\t")[0])
    return found


def _places(socket: Path) -> Places:
    """The directories of the tables whose files the server has open."""
    found: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for files in processes.holders(processes.listening_at(socket)).values():
        for path in map(Path, files):
            if path.suffix in (*_DATA, ".MYI", ".MAI"):
                found[_base(path.parent.name), _table(path.name)].add(path.parent.name)
    return found


def _table(file: str) -> str:
    """The table of a file, also of one of its partitions, ``table#P#part.MYD``."""
    return re.split("[#.]", file, maxsplit=1)[0]
