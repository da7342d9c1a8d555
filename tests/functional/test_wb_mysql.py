"""wb_mysql and its states with a real MariaDB, whose live link moves."""

import os
import time

import pytest
import salt.loader
from databases import mariadb
from wbcore.datasets import Dataset
from wbcore.manifest import Contents
from wbcore.settings import Settings
from wbnode.place import Places


@pytest.fixture
def server(layout, load):
    """MariaDB of the node ``node``; its functions, and SQL as its administrator."""
    nodes = {"node": {"address": "127.0.0.1", "site": "local", "roles": ["mysql"]}}
    functions = load("node", {"nodes": nodes, "mysql": {"user": "root", "group": "root"}})
    with mariadb(layout, functions) as sql:
        yield functions, sql


def database(sql, name, build):
    sql(
        f"CREATE DATABASE {name}; CREATE TABLE {name}.meta (name VARCHAR(16), value VARCHAR(16));"
        f"INSERT INTO {name}.meta VALUES ('build', '{build}'), ('other', 'x')"
    )


def flip(layout, name, target):
    link = layout.link(f"mysql/{name}")
    beside = link.with_name("beside")
    beside.symlink_to(target)
    os.replace(beside, link)


def test_initialise_leaves_what_is_there(server, layout):
    functions, _ = server
    assert functions["wb_mysql.initialise"]() is False
    assert not (layout.kind("mysql") / ".incoming/.initialising").exists()


def test_builds_are_those_that_the_server_serves(server, layout):
    functions, sql = server
    assert functions["wb_mysql.builds"]() == {}
    for name in ("c_elegans", "clustal"):
        for build in ("WS220", "WS221"):
            database(sql, f"{name}_{build}", build)
        flip(layout, name, f"{name}_WS220")
    sql("CREATE DATABASE wordpress; CREATE TABLE wordpress.posts (id INT)")
    functions["wb_mysql.flush"]()
    assert functions["wb_mysql.builds"]() == {"c_elegans": "WS220", "clustal": "WS220"}
    flip(layout, "c_elegans", "c_elegans_WS221")
    assert functions["wb_mysql.builds"]()["c_elegans"] == "WS220"
    began = time.monotonic()
    functions["wb_mysql.flush"]()
    assert time.monotonic() - began < 1
    assert functions["wb_mysql.builds"]() == {"c_elegans": "WS221", "clustal": "WS220"}


def test_new_names_are_on_disk_before_the_journal_of_their_switch_goes(server, layout, monkeypatch):
    functions, sql = server
    for build in ("WS220", "WS221"):
        database(sql, f"c_elegans_{build}", build)
        found = Dataset.parse(f"mysql/c_elegans_{build}")
        Places(layout, Settings()).mark(found, Contents(), build)
    flip(layout, "c_elegans", "c_elegans_WS220")
    functions["wb_mysql.flush"]()
    flushed = {}

    def fsync(descriptor, real=os.fsync):
        folder = os.readlink(f"/proc/self/fd/{descriptor}")
        flushed[folder] = (functions["wb_link.read"](), layout.journal.exists())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    links = {"mysql/c_elegans": "c_elegans_WS221"}
    done = functions["wb_live.switch"](links, run="a-run", before=time.time() + 30)

    assert done["version"] == {"mysql": {"c_elegans": "WS221"}}
    assert flushed[str(layout.kind("mysql"))] == (links, True)
    assert not layout.journal.exists()


def states(make_opts, functions, test):
    opts = {**make_opts("node", {}), "test": test}
    return salt.loader.states(opts, functions, {}, None)


def test_the_reader_may_read_and_no_more(server, make_opts):
    functions, sql = server
    database(sql, "c_elegans_WS221", "WS221")
    dry = states(make_opts, functions, True)["wb_mysql.readable"]("r", reader="wormbase")
    changes = {"wormbase": {"old": [], "new": ["SELECT ON *.*"]}}
    assert (dry["result"], dry["changes"]) == (None, changes)
    assert functions["wb_mysql.grants"]("wormbase") == []
    readable = states(make_opts, functions, False)["wb_mysql.readable"]
    done = readable("r", reader="wormbase")
    assert (done["result"], done["changes"]) == (True, changes)
    assert readable("r", reader="wormbase")["changes"] == {}
    query = "SELECT value FROM c_elegans_WS221.meta WHERE name = 'build'"
    assert sql(query, user="wormbase")[0] == ["WS221"]
    assert "denied" in sql("DROP TABLE c_elegans_WS221.meta", user="wormbase")[1]
    sql("GRANT ALL ON *.* TO wormbase@localhost")
    assert readable("r", reader="wormbase")["changes"]
    assert functions["wb_mysql.grants"]("wormbase") == ["SELECT ON *.*"]


def test_a_server_that_is_down_is_told_in_one_sentence(layout, load, make_opts):
    functions = load("node", {})
    result = states(make_opts, functions, False)["wb_mysql.readable"]("r", reader="wormbase")
    assert result["result"] is False
    assert "service mariadb status" in result["comment"]
    result = states(make_opts, functions, True)["wb_mysql.readable"]("r", reader="wormbase")
    assert result["result"] is None
    with pytest.raises(Exception, match="not the name of a user"):
        functions["wb_mysql.let_read"]("x'; DROP")
