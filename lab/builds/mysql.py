"""The MyISAM databases of a build, loaded from scratch by a MariaDB of the build's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from .databases import rebuilt
from .facts import Facts
from .genes import Lineage
from .tables import Row, Table, tables_of
from .workshop import Workshop

_DATA = "mysql"
_ROWS = "rows"


def load(shop: Workshop, lineage: Lineage, facts: list[Facts]) -> None:
    """Make the databases that this build rebuilds, a directory each."""
    data, rows = shop.directory / _DATA, shop.directory / _ROWS
    data.mkdir()
    rows.mkdir()
    statements: list[str] = []
    for database in rebuilt(lineage):
        directory = f"{database}_{lineage[-1].build}"
        statements.append(f"CREATE DATABASE {directory} CHARACTER SET latin1;\nUSE {directory};\n")
        for table in tables_of(database, lineage, facts):
            name = f"{database}.{table.name}"
            _write(rows / name, table.rows)
            statements.extend(_statements(table, name))
    _serve(shop, "".join(statements))
    shutil.rmtree(rows)
    # The server's own files beside the databases are no part of a build.
    for file in data.iterdir():
        if file.is_file():
            file.unlink()


def _statements(table: Table, file: str) -> Iterator[str]:
    columns = " ".join(table.columns.split())
    yield f"CREATE TABLE {table.name} ({columns}) ENGINE=MyISAM;\n"
    yield f"LOAD DATA INFILE '/build/{_ROWS}/{file}' INTO TABLE {table.name};\n"


def _write(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="latin-1", errors="replace") as out:
        out.writelines("\t".join(map(str, row)) + "\n" for row in rows)


def _serve(shop: Workshop, statements: str) -> None:
    """Let a server without network, users or InnoDB carry out statements, and end."""
    shop.run("chown", "-R", "mysql:mysql", f"/build/{_DATA}", f"/build/{_ROWS}")
    shop.run(
        "mariadbd",
        "--no-defaults",
        "--bootstrap",
        "--user=mysql",
        f"--datadir=/build/{_DATA}",
        "--innodb=OFF",
        "--skip-grant-tables",
        "--secure-file-priv=",
        "--key-buffer-size=64M",
        "--myisam-sort-buffer-size=64M",
        "--default-storage-engine=MyISAM",
        stdin=statements,
    )
