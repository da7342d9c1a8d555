"""Tables of a MySQL database, by the files in its directory.

Sources: MariaDB's ``sql/table.cc`` and ``sql/handler.h`` (``legacy_db_type``) for the ``.frm``,
``sql/parse_file.cc`` for that of a view, ``storage/myisammrg`` for ``.MRG``, ``storage/csv`` for
``.CSM``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

MYISAM, ARIA, CSV, MERGE, VIEW = "MyISAM", "Aria", "CSV", "MERGE", "view"
# The file of a table, and of each of its partitions, that its own programs are asked about.
INDEX = {MYISAM: ".MYI", ARIA: ".MAI"}
DEFINITION_HEAD = 64
_FILES = {MYISAM: (".MYI", ".MYD"), ARIA: (".MAI", ".MAD"), CSV: (".CSM", ".CSV"), MERGE: (".MRG",)}
_DATA = (".MYI", ".MYD", ".MAI", ".MAD")
_PARTITIONED = 20
_ENGINES = {
    6: "MEMORY",
    9: MYISAM,
    10: MERGE,
    12: "InnoDB",
    16: "ARCHIVE",
    17: CSV,
    18: "FEDERATED",
    19: "BLACKHOLE",
    42: ARIA,
}
_ENCODED = re.compile("@([0-9a-f]{4})")
_ESCAPED = re.compile(r"\\(.)")
_LITERAL = re.compile(r"'(?:[^'\\]|\\.|'')*'")
_SOURCE = re.compile(r"\b(?:from|join)\s+\(*`((?:[^`]|``)+)`\.`(?:[^`]|``)+`")


@dataclass(frozen=True, order=True)
class Table:
    """A table or view of a database; ``stem`` is the name of its files without their suffix."""

    directory: str
    stem: str

    def __str__(self) -> str:
        """As a statement names it."""
        name = _ENCODED.sub(lambda found: chr(int(found[1], 16)), self.stem).replace("`", "``")
        return f"`{self.directory}`.`{name}`"


@dataclass(frozen=True)
class Definition:
    """What a ``.frm`` tells: the engine, also of the partitions of a table that has some."""

    engine: str
    partitioned: bool = False

    @classmethod
    def parse(cls, head: bytes) -> Definition:
        """That in the first bytes of a ``.frm``; ValueError for anything else."""
        if head.startswith(b"TYPE=VIEW"):
            return cls(VIEW)
        if len(head) < DEFINITION_HEAD or not head.startswith(b"\xfe\x01"):
            raise ValueError("it is not the definition of a table")
        partitioned = head[3] == _PARTITIONED
        number = head[61] if partitioned else head[3]
        return cls(_ENGINES.get(number, f"the engine {number} of a plugin"), partitioned)

    @property
    def movable(self) -> bool:
        """Whether a copy of the files is the table on another server."""
        return self.engine == VIEW or self.engine in _FILES


def tables(directory: str, paths: Iterable[str]) -> list[Table]:
    """The tables and views of a directory with these files; what a broken ALTER left is none."""
    stems = (path.removesuffix(".frm") for path in sorted(paths) if path.endswith(".frm"))
    return [Table(directory, stem) for stem in stems if "/" not in stem and stem[:4] != "#sql"]


def parts(table: Table, definition: Definition, paths: Iterable[str]) -> list[str]:
    """Names without suffix of the table's own files: one, or one a partition."""
    if not definition.partitioned:
        return [table.stem]
    beginning = f"{table.stem}#P#"
    return sorted({path.rpartition(".")[0] for path in paths if path.startswith(beginning)})


def missing(table: Table, definition: Definition, paths: Mapping[str, object]) -> list[str]:
    """Files that a table must have and has not."""
    suffixes = _FILES.get(definition.engine, ())
    stems = parts(table, definition, paths) or [f"{table.stem}#P#"]
    return [stem + suffix for stem in stems for suffix in suffixes if stem + suffix not in paths]


def of_data(path: str) -> str:
    """The name without suffix of the table whose data is in a file; empty when none is."""
    return re.split("#P#|[.]", path)[0] if path.endswith(_DATA) else ""


def merged(table: Table, text: str) -> Iterator[Table]:
    """The tables that a ``.MRG`` lists."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            folder, _, stem = line.rpartition("/")
            # One that lies outside the data directory is told with its whole path.
            near = folder if folder.startswith("/") else folder.rpartition("/")[2]
            yield Table(near or table.directory, stem)


def asked(text: str) -> set[str]:
    """The databases whose tables a view asks, by its ``.frm``."""
    query = next((line for line in text.splitlines() if line.startswith("query=")), "")
    plain = _LITERAL.sub("''", _ESCAPED.sub(r"\1", query))
    return {name.replace("``", "`") for name in _SOURCE.findall(plain)}


def is_crashed_csv(meta: bytes) -> bool:
    """Whether a ``.CSM`` says that its table was not closed."""
    return meta[-1:] != b"\0"
