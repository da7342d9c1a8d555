"""Which builds a real MariaDB serves, by the tables that it has open, while links move."""

import os
import time

import pytest
from databases import mariadb, socket_of
from salt.exceptions import CommandExecutionError
from wbnode.serving import mysql

PILLAR = {
    "nodes": {"node": {"address": "127.0.0.1", "site": "local", "roles": ["mysql"]}},
    "mysql": {"user": "root", "group": "root"},
}
TABLES = ("features", "names")


@pytest.fixture
def server(layout, load):
    """MariaDB of the node ``node`` with two databases in two builds each, WS220 live."""
    functions = load("node", PILLAR)
    with mariadb(layout, functions) as sql:
        for name in ("c_elegans", "clustal"):
            for build in ("WS220", "WS221"):
                make(sql, f"{name}_{build}", *TABLES)
            flip(layout, name, "WS220")
        sql("FLUSH TABLES")
        yield functions, sql


def make(sql, directory, *tables):
    sql(f"CREATE DATABASE {directory}")
    for table in tables:
        sql(f"CREATE TABLE {directory}.`{table}` (x INT)")


def flip(layout, name, build):
    beside = layout.link(f"mysql/{name}").with_name("beside")
    beside.symlink_to(f"{name}_{build}")
    os.replace(beside, layout.link(f"mysql/{name}"))


def opened(sql):
    return sql("SHOW OPEN TABLES WHERE `Database` LIKE 'c_elegans%'")[0]


def read(sql, *tables):
    for table in tables:
        assert sql(f"SELECT 1 FROM {table} LIMIT 1") == ([], "")


def test_builds_of_a_server_that_nobody_asked_anything(server, layout):
    functions, sql = server
    make(sql, "wordpress", "posts")
    assert functions["wb_mysql.builds"]() == {"c_elegans": "WS220", "clustal": "WS220"}


def test_a_node_without_live_databases_serves_none(layout, load):
    assert load("node", PILLAR)["wb_mysql.builds"]() == {}


def test_a_link_that_moved_is_not_followed_before_the_flush(server, layout):
    functions, _ = server
    assert functions["wb_mysql.builds"]()["c_elegans"] == "WS220"
    flip(layout, "c_elegans", "WS221")
    for _ in range(2):
        assert functions["wb_mysql.builds"]() == {"c_elegans": "WS220", "clustal": "WS220"}
    began = time.monotonic()
    functions["wb_mysql.flush"]()
    assert time.monotonic() - began < 1
    assert functions["wb_mysql.builds"]() == {"c_elegans": "WS221", "clustal": "WS220"}


@pytest.mark.parametrize("first", ["live name", "directory"])
def test_tables_that_were_asked_for_by_their_directory_do_not_count(server, layout, first):
    functions, sql = server
    tables = [f"c_elegans_WS221.{table}" for table in TABLES]
    asked = [("c_elegans.features",), tables]
    for names in asked if first == "live name" else reversed(asked):
        read(sql, *names)
    assert functions["wb_mysql.builds"]()["c_elegans"] == "WS220"
    flip(layout, "c_elegans", "WS221")
    assert functions["wb_mysql.builds"]()["c_elegans"] == "WS220"
    sql("FLUSH TABLES")
    read(sql, *tables, "c_elegans.features")
    assert functions["wb_mysql.builds"]()["c_elegans"] == "WS221"


@pytest.mark.parametrize("served", ["WS220", "WS221"])
def test_tables_that_are_open_by_both_directories_are_told_apart_by_their_data(
    server, layout, served
):
    functions, sql = server
    for build, rows in (("WS220", "(1)"), ("WS221", "(1), (2)")):
        sql(f"INSERT INTO c_elegans_{build}.features VALUES {rows}")
    flip(layout, "c_elegans", served)
    sql("FLUSH TABLES")
    for directory in ("c_elegans", "c_elegans_WS220", "c_elegans_WS221"):
        sql(f"SELECT * FROM {directory}.features; SELECT * FROM {directory}.names")
    other = {"WS220": "WS221", "WS221": "WS220"}[served]
    flip(layout, "c_elegans", other)
    assert len(opened(sql)) == 6
    assert functions["wb_mysql.builds"]()["c_elegans"] == served


def test_tables_of_two_builds_under_the_live_name_are_named(server, layout):
    functions, sql = server
    read(sql, "c_elegans.features")
    flip(layout, "c_elegans", "WS221")
    read(sql, "c_elegans.names")
    both = "c_elegans has c_elegans_WS220 and c_elegans_WS221 open; run FLUSH TABLES"
    with pytest.raises(CommandExecutionError, match=both):
        functions["wb_mysql.builds"]()


def test_a_flush_between_two_looks_does_not_matter(server, layout):
    _, sql = server
    asked, real = [], mysql.client(socket_of(layout), 5)

    def ask(statement):
        asked.append(statement)
        if len(asked) == 3:
            sql("FLUSH TABLES")
        return real(statement)

    assert mysql.builds(layout, socket_of(layout), ask) == {
        "c_elegans": "WS220",
        "clustal": "WS220",
    }
    assert len(asked) > 3


def test_a_partitioned_table_tells_its_directory(server, layout):
    functions, sql = server
    sql("CREATE DATABASE m_hapla_WS221")
    sql("CREATE TABLE m_hapla_WS221.reads (x INT) PARTITION BY HASH (x) PARTITIONS 2")
    flip(layout, "m_hapla", "WS221")
    assert functions["wb_mysql.builds"]()["m_hapla"] == "WS221"


def test_a_database_of_aria_tables_tells_its_directory(server, layout):
    functions, sql = server
    for build in ("WS220", "WS221"):
        sql(f"CREATE DATABASE m_hapla_{build}")
        sql(f"CREATE TABLE m_hapla_{build}.reads (x INT) ENGINE=Aria")
    flip(layout, "m_hapla", "WS220")
    assert functions["wb_mysql.builds"]()["m_hapla"] == "WS220"
    flip(layout, "m_hapla", "WS221")
    functions["wb_mysql.flush"]()
    assert functions["wb_mysql.builds"]()["m_hapla"] == "WS221"


def test_a_database_without_a_table_is_named(server, layout):
    functions, sql = server
    sql("CREATE DATABASE m_hapla_WS221")
    flip(layout, "m_hapla", "WS221")
    with pytest.raises(CommandExecutionError, match="MySQL's m_hapla has no MyISAM or Aria table"):
        functions["wb_mysql.builds"]()


def test_a_server_that_is_down_is_named(layout, load):
    functions = load("node", PILLAR)
    (layout.kind("mysql") / "c_elegans_WS220").mkdir(parents=True)
    flip(layout, "c_elegans", "WS220")
    with pytest.raises(CommandExecutionError, match="look at MariaDB"):
        functions["wb_mysql.builds"]()
    with pytest.raises(Exception, match=r"MySQL says .*Can't connect"):
        mysql.builds(layout, socket_of(layout), mysql.client(socket_of(layout), 5))
