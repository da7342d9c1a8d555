"""Tables of every kind, sealed on a real MariaDB, pulled, and asked on another one."""

from __future__ import annotations

import os
import subprocess

import kinds_of_tables
import pytest
import wbnode.files
from databases import mariadb
from kinds_of_tables import COLUMNS, ROWS
from salt.exceptions import CommandExecutionError
from wbcore.names import Build
from wbnode.build import aria_pages

NAME = "c_elegans_WS221"
OTHER = "clustal_WS221"
TABLES = {NAME: kinds_of_tables.TABLES, OTHER: ("more",)}
PILLAR = {
    "nodes": {"node": {"address": "127.0.0.1", "site": "local", "roles": ["mysql"]}},
    "mysql": {"user": "root", "group": "root"},
}


@pytest.fixture
def wb_dev(site, stage):
    """WS221 staged on ``wb-dev``, with a table of each kind; SQL for its server."""
    layout, modules = site.layout("wb-dev"), site.modules["wb-dev"]
    stage(layout, "WS221", ())
    with mariadb(layout, modules, "--innodb=ON") as sql:
        for directory in (NAME, OTHER):
            layout.link(f"mysql/{directory[:-6]}").symlink_to(directory)
        assert sql(f"CREATE DATABASE {NAME}; CREATE DATABASE {OTHER}") == ([], "")
        assert sql(kinds_of_tables.statements("c_elegans", NAME, OTHER)) == ([], "")
        sql("FLUSH TABLES")
        index = layout.kind("mysql") / NAME / "packed.MYI"
        subprocess.run(["myisampack", "--silent", index], check=True, capture_output=True)
        subprocess.run(["myisamchk", "-rq", "--silent", index], check=True, capture_output=True)
        sql("FLUSH TABLES")
        # On wb-dev the carrier is in the group of the tables.
        for directory in (NAME, OTHER):
            subprocess.run(["chmod", "-R", "a+rX", layout.kind("mysql") / directory], check=True)
        yield sql


@pytest.fixture
def seal(site):
    return lambda: site.modules["wb-dev"]["wb_build.seal"]("WS221")


def answers(sql):
    """What the server of a node says of every table, by the names of its directories."""
    return {
        (name, table): sql(f"SELECT * FROM {name}.`{table}` ORDER BY 1, 2")
        for name, tables in TABLES.items()
        for table in tables
    }


def files(layout):
    """Every file of the build's tables, with all that would show that it was touched."""
    found = [path for name in TABLES for path in (layout.kind("mysql") / name).iterdir()]
    stats = ((path, path.lstat()) for path in found)
    return {
        path.name: (about.st_ino, about.st_mode, about.st_mtime_ns, about.st_size)
        for path, about in stats
    }


def test_every_kind_of_table_answers_on_a_node_as_on_the_development_server(site, wb_dev, seal):
    expected = answers(wb_dev)
    assert all(rows and not complaint for rows, complaint in expected.values())
    sealed = seal()
    pull = site.modules["node"]["wb_dataset.pull"]
    pull("WS221", sealed["digest"], list(sealed["datasets"]), site.sources("wb-dev"))
    layout, modules = site.layout("node"), site.modules["node"]

    with mariadb(layout, modules, by="mysql") as sql:
        told = modules["wb_mysql.examine"]({"c_elegans": NAME, "clustal": OTHER})
        # The one that asks by a live name waits until there is one.
        assert told["faults"] == {} and told["tables"] == 14
        for directory in (NAME, OTHER):
            layout.link(f"mysql/{directory[:-6]}").symlink_to(directory)
        sql("FLUSH TABLES")
        assert answers(sql) == expected
        sql("FLUSH TABLES")
        assert answers(sql) == expected
        sql("FLUSH TABLES")
    # What the server wrote to the state of the CSV table is what was there.
    for name in TABLES:
        for path in (layout.kind("mysql") / name).iterdir():
            there = site.layout("wb-dev").kind("mysql") / name / path.name
            assert path.read_bytes() == there.read_bytes(), path
    assert answers(wb_dev) == expected


def test_a_second_seal_changes_nothing_and_one_after_unseal_no_byte(site, wb_dev, seal):
    first, layout = seal(), site.layout("wb-dev")
    before = files(layout)
    assert seal() == first
    assert files(layout) == before
    answers(wb_dev)
    wb_dev("FLUSH TABLES")
    assert site.modules["wb-dev"]["wb_build.survey"]("WS221")["changed"] == []
    assert seal() == first
    site.modules["wb-dev"]["wb_build.unseal"]("WS221")
    assert seal()["datasets"] == first["datasets"]


def test_aria_is_portable_once_it_is_sealed_and_not_before(site, wb_dev, seal):
    index = site.layout("wb-dev").kind("mysql") / NAME / "aria.MAI"
    before = index.read_bytes(), index.with_suffix(".MAD").read_bytes()
    seal()
    assert (index.read_bytes(), index.with_suffix(".MAD").read_bytes()) != before
    assert index.stat().st_mode & 0o222 == 0
    assert not list((index.parent.parent / ".incoming").iterdir())


def test_aria_whose_making_portable_broke_off_is_made_so_again(site, wb_dev, monkeypatch):
    index = site.layout("wb-dev").kind("mysql") / NAME / "aria.MAI"
    take_place, moved = wbnode.files.take_place, []

    def dies_at_the_second(file, path):
        if moved:
            raise InterruptedError
        moved.append(path)
        take_place(file, path)

    with monkeypatch.context() as patched, pytest.raises(InterruptedError):
        patched.setattr("wbnode.files.take_place", dies_at_the_second)
        aria_pages.make_portable(index)
    assert aria_pages.make_portable(index) is True
    assert aria_pages.make_portable(index) is False
    wb_dev("FLUSH TABLES")
    assert wb_dev(f"SELECT COUNT(*) FROM {NAME}.aria") == (["3334"], "")


def test_a_node_names_aria_that_was_not_made_portable(site, wb_dev, seal, monkeypatch):
    monkeypatch.setattr("wbnode.build.aria_pages.make_portable", lambda index: False)
    sealed, modules = seal(), site.modules["node"]
    tables = [f"mysql/{NAME}", f"mysql/{OTHER}"]
    modules["wb_dataset.pull"]("WS221", sealed["digest"], tables, site.sources("wb-dev"))
    with mariadb(site.layout("node"), modules, by="mysql"):
        told = modules["wb_mysql.examine"]({"c_elegans": NAME, "clustal": OTHER})
    assert set(told["faults"]) == {f"{NAME}.aria", f"{NAME}.aria_parts"}
    assert "zerofilled" in told["faults"][f"{NAME}.aria"]


def innodb(sql, _):
    sql(f"CREATE TABLE {NAME}.inno (n INT PRIMARY KEY) ENGINE=InnoDB")
    return f"ALTER TABLE `{NAME}`.`inno` ENGINE=MyISAM"


def innodb_parts(sql, _):
    sql(f"CREATE TABLE {OTHER}.`two parts` (n INT) ENGINE=InnoDB PARTITION BY HASH(n) PARTITIONS 2")
    return f"ALTER TABLE `{OTHER}`.`two parts` ENGINE=MyISAM"


def in_memory(sql, _):
    sql(f"CREATE TABLE {NAME}.gone (n INT) ENGINE=MEMORY")
    return f"ALTER TABLE `{NAME}`.`gone` ENGINE=MyISAM"


def elsewhere(sql, layout):
    folder = layout.root / "elsewhere"
    folder.mkdir()
    where = f"DATA DIRECTORY='{folder}' INDEX DIRECTORY='{folder}'"
    sql(f"CREATE TABLE {NAME}.away (n INT) {where}; INSERT INTO {NAME}.away VALUES (1)")
    return f"SET sql_mode = 'NO_DIR_IN_CREATE'; ALTER TABLE `{NAME}`.`away` ENGINE=MyISAM"


def crashed(sql, layout):
    sql(f"CREATE TABLE {OTHER}.broken {COLUMNS}, KEY (n)); INSERT INTO {OTHER}.broken {ROWS};"
        "FLUSH TABLES")  # fmt: skip
    os.truncate(layout.kind("mysql") / OTHER / "broken.MYD", 9999)
    return f"REPAIR TABLE `{OTHER}`.`broken`"


def crashed_aria(sql, layout):
    sql(f"CREATE TABLE {NAME}.bent {COLUMNS}, KEY (n)) ENGINE=Aria; INSERT INTO {NAME}.bent {ROWS};"
        "FLUSH TABLES")  # fmt: skip
    with (layout.kind("mysql") / NAME / "bent.MAI").open("r+b") as stream:
        stream.seek(9000)
        stream.write(os.urandom(5000))
    return f"REPAIR TABLE `{NAME}`.`bent`"


def not_closed(sql, layout):
    sql(f"CREATE TABLE {NAME}.open LIKE {NAME}.plain; FLUSH TABLES")
    with (layout.kind("mysql") / NAME / "open.MYI").open("r+b") as stream:
        stream.seek(25)
        stream.write(b"\1")
    return f"REPAIR TABLE `{NAME}`.`open`"


def crashed_csv(sql, layout):
    sql(f"CREATE TABLE {NAME}.half {COLUMNS}) ENGINE=CSV; FLUSH TABLES")
    with (layout.kind("mysql") / NAME / "half.CSM").open("r+b") as stream:
        stream.seek(-1, os.SEEK_END)
        stream.write(b"\1")
    return f"REPAIR TABLE `{NAME}`.`half`"


def dangling(sql, _):
    columns = f"{COLUMNS}, KEY (n))"
    sql(f"CREATE TABLE {NAME}.lost {columns}; CREATE TABLE {NAME}.all_of_it {columns}"
        f" ENGINE=MERGE UNION=({NAME}.plain, {NAME}.lost); DROP TABLE {NAME}.lost")  # fmt: skip
    return f"ALTER TABLE `{NAME}`.`all_of_it` UNION=(`{NAME}`.`plain`)"


def merged_elsewhere(sql, _):
    columns = f"{COLUMNS}, KEY (n))"
    sql(f"CREATE DATABASE scratch; CREATE TABLE scratch.away {columns};"
        f"CREATE TABLE {NAME}.wide {columns} ENGINE=MERGE UNION=(scratch.away)")  # fmt: skip
    return f"ALTER TABLE `{NAME}`.`wide` UNION=()"


def stranger(sql, _):
    sql(f"CREATE DATABASE notes; CREATE TABLE notes.x (n INT);"
        f"CREATE VIEW {OTHER}.peep AS SELECT n FROM notes.x")  # fmt: skip
    return f"DROP VIEW `{OTHER}`.`peep`"


def hollow(sql, _):
    sql(f"CREATE TABLE {NAME}.y (n INT); CREATE VIEW {NAME}.blind AS SELECT n FROM {NAME}.y;"
        f"DROP TABLE {NAME}.y")  # fmt: skip
    return f"{NAME}.blind can not be opened"


def without_data(sql, layout):
    sql(f"CREATE TABLE {NAME}.bare {COLUMNS}); FLUSH TABLES")
    (layout.kind("mysql") / NAME / "bare.MYD").unlink()
    return f"DROP TABLE `{NAME}`.`bare` and load it again"


WRONG = [innodb, innodb_parts, in_memory, elsewhere, crashed, crashed_aria, not_closed,
         crashed_csv, dangling, merged_elsewhere, stranger, hollow, without_data]  # fmt: skip
STATEMENTS = [innodb, innodb_parts, in_memory, elsewhere, crashed, not_closed, crashed_csv,
              crashed_aria]  # fmt: skip


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_changed(site, wb_dev, seal):
    layout, modules = site.layout("wb-dev"), site.modules["wb-dev"]
    outs = [spoil(wb_dev, layout) for spoil in WRONG]
    (layout.kind("support") / "WS221/README").touch()
    wb_dev("FLUSH TABLES")
    before = files(layout)

    with pytest.raises(CommandExecutionError) as refused:
        seal()
    said = str(refused.value)
    assert [out for out in [*outs, "databases/WS221/README is no folder"] if out not in said] == []
    assert said.startswith(f"{len(WRONG) + 1} things are wrong: (1) ")
    assert "\n" not in said
    problems = modules["wb_build.inspect"]("WS221")["problems"]
    assert len(problems) == len(WRONG) + 1
    assert modules["wb_build.survey"]("WS221")["problems"] == problems
    assert files(layout) == before
    assert not layout.manifest(Build(221)).exists()


@pytest.mark.parametrize("spoil", STATEMENTS)
def test_the_statement_that_is_told_fixes_it(site, wb_dev, seal, spoil):
    statement = spoil(wb_dev, site.layout("wb-dev"))
    with pytest.raises(CommandExecutionError) as refused:
        seal()
    assert statement in str(refused.value)
    wb_dev("FLUSH TABLES")
    complaint = wb_dev(statement)[1]
    assert complaint == ""
    seal()


def test_a_crashed_table_alone_is_seen_before_the_seal(site, wb_dev, seal):
    statement = crashed(wb_dev, site.layout("wb-dev"))
    problems = site.modules["wb-dev"]["wb_build.inspect"]("WS221")["problems"]
    assert len(problems) == 1 and statement in problems[0]


def test_what_was_sealed_before_is_not_looked_at_again(site, wb_dev, seal, stage):
    seal()
    layout, modules = site.layout("wb-dev"), site.modules["wb-dev"]
    stage(layout, "WS222", ())
    innodb(wb_dev, layout)
    assert modules["wb_build.inspect"]("WS222")["problems"] == []
