"""wb_mysql and its states with a real MariaDB, whose live link moves."""

import os
import time

import pytest
import salt.loader
from databases import mariadb
from wbcore.build.manifest import Contents
from wbcore.datasets import Dataset
from wbcore.settings import Settings
from wbnode.dataset_store import DatasetStore

# A user of every Debian, as whom the webapp would run.
READER = "nobody"
PILLAR = {
    "nodes": {"node": {"address": "127.0.0.1", "site": "local", "roles": ["mysql"]}},
    "mysql": {"user": "root", "group": "root", "reader": READER},
    "webapp": {"user": READER},
}


@pytest.fixture
def server(layout, load):
    """MariaDB of the node ``node``; its functions, and SQL as its administrator."""
    functions = load("node", PILLAR)
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


def examine(functions, **databases):
    return functions["wb_mysql.examine"](databases or {"c_elegans": "c_elegans_WS221"})


def test_examine_opens_every_table_of_a_database_that_is_not_live(server, layout):
    functions, sql = server
    database(sql, "c_elegans_WS221", "WS221")
    sql(
        "USE c_elegans_WS221; CREATE TABLE `odd ``näme` (n INT); CREATE SEQUENCE s;"
        "CREATE TABLE m (name VARCHAR(16), value VARCHAR(16)) ENGINE=MERGE UNION=(meta);"
        "CREATE VIEW v AS SELECT name FROM meta; FLUSH TABLES"
    )
    told = examine(functions)
    assert (told["tables"], told["faults"]) == (5, {})
    flip(layout, "c_elegans", "c_elegans_WS221")
    assert examine(functions)["tables"] == 0


def _short_index(sql, folder):
    os.truncate(folder / "meta.MYI", 100)
    return "c_elegans_WS221.meta"


def _no_data(sql, folder):
    (folder / "meta.MYD").unlink()
    return "c_elegans_WS221.meta"


def _hollow_view(sql, folder):
    sql("CREATE VIEW c_elegans_WS221.v AS SELECT name FROM c_elegans_WS221.meta;"
        "DROP TABLE c_elegans_WS221.meta")  # fmt: skip
    return "c_elegans_WS221.v"


def _view_of_a_stranger(sql, folder):
    sql("CREATE DEFINER=builder@localhost VIEW c_elegans_WS221.v AS SELECT 1 AS one")
    return "c_elegans_WS221.v"


@pytest.mark.parametrize("spoil", [_short_index, _no_data, _hollow_view, _view_of_a_stranger])
def test_examine_names_what_can_not_be_opened(server, layout, spoil):
    functions, sql = server
    for name in ("c_elegans_WS221", "clustal_WS221"):
        database(sql, name, "WS221")
    sql("FLUSH TABLES")
    name = spoil(sql, layout.kind("mysql") / "c_elegans_WS221")
    told = examine(functions, c_elegans="c_elegans_WS221", clustal="clustal_WS221")
    assert list(told["faults"]) == [name] and told["faults"][name]


def test_examine_passes_over_what_asks_for_another_build_by_its_live_name(server, layout):
    functions, sql = server
    for build in ("WS220", "WS221"):
        database(sql, f"c_elegans_{build}", build)
    sql("CREATE TABLE c_elegans_WS221.new (n INT)")
    flip(layout, "c_elegans", "c_elegans_WS221")
    sql("FLUSH TABLES; USE c_elegans; CREATE VIEW v AS SELECT n FROM c_elegans.new;"
        "CREATE TABLE m (n INT) ENGINE=MERGE UNION=(c_elegans.new)")  # fmt: skip
    flip(layout, "c_elegans", "c_elegans_WS220")
    sql("FLUSH TABLES")
    told = examine(functions)
    assert told["faults"] == {} and told["tables"] == 3


def test_examine_of_a_directory_that_is_not_there(server):
    functions, _ = server
    with pytest.raises(Exception, match="the MySQL directory c_elegans_WS221 is not here"):
        examine(functions)
    with pytest.raises(Exception, match="is not a dataset"):
        examine(functions, c_elegans="../mysql_WS221")


def test_new_names_are_on_disk_before_the_journal_of_their_switch_goes(server, layout, monkeypatch):
    functions, sql = server
    for build in ("WS220", "WS221"):
        database(sql, f"c_elegans_{build}", build)
        found = Dataset.parse(f"mysql/c_elegans_{build}")
        DatasetStore(layout, Settings()).mark(found, Contents(), build)
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


def readable(make_opts, functions, test=False):
    return states(make_opts, functions, test)["wb_mysql.readable"]("r", reader=READER)


def released(sql, layout, functions):
    """A build with two databases that is live, and what is no database of a release."""
    for name in ("c_elegans", "clustal"):
        database(sql, f"{name}_WS221", "WS221")
        flip(layout, name, f"{name}_WS221")
    for name in ("wordpress", "cxelegans", "c_elegans_private"):
        database(sql, name, "WS221")
    functions["wb_mysql.flush"]()


def reads(sql, table, **options):
    """Whether the webapp's user reads a table; what the server complained of if not."""
    rows, complaint = sql(
        f"SELECT 1 FROM {table} LIMIT 1", **{"user": READER, "by": READER, **options}
    )
    return rows == ["1"] or complaint


def test_the_reader_reads_databases_of_releases_alone(server, make_opts, layout):
    functions, sql = server
    released(sql, layout, functions)
    dry = readable(make_opts, functions, test=True)
    assert dry["result"] is None
    assert sql(f"SELECT user FROM mysql.global_priv WHERE user = '{READER}'")[0] == []
    done = readable(make_opts, functions)
    assert (done["result"], done["changes"]) == (True, dry["changes"])
    assert readable(make_opts, functions)["changes"] == {}

    for table in ("c_elegans.meta", "c_elegans_WS221.meta", "clustal.meta"):
        assert reads(sql, table) is True
    for table in (
        "mysql.global_priv",
        "wordpress.meta",
        "cxelegans.meta",
        "c_elegans_private.meta",
    ):
        assert "denied" in reads(sql, table)
    assert "denied" in sql("DROP TABLE c_elegans_WS221.meta", user=READER, by=READER)[1]


def test_the_reader_reads_a_later_build_before_it_is_live(server, make_opts, layout):
    functions, sql = server
    released(sql, layout, functions)
    readable(make_opts, functions)
    database(sql, "c_elegans_WS222", "WS222")
    assert reads(sql, "c_elegans_WS222.meta") is True


def test_the_reader_logs_in_as_the_user_of_the_webapp_alone(server, make_opts, layout):
    functions, sql = server
    released(sql, layout, functions)
    readable(make_opts, functions)
    for other in ("root", "daemon"):
        assert "denied" in reads(sql, "c_elegans.meta", by=other)


@pytest.mark.parametrize("host", ["localhost", "%"])
def test_a_reader_who_was_there_keeps_password_and_grants(server, make_opts, layout, host):
    functions, sql = server
    released(sql, layout, functions)
    user = f"'{READER}'@'{host}'"
    sql(f"CREATE USER {user} IDENTIFIED BY 'secret'; GRANT INSERT ON wordpress.* TO {user}")
    before, _ = sql(f"SHOW GRANTS FOR {user}")
    assert readable(make_opts, functions)["result"] is True
    assert readable(make_opts, functions)["changes"] == {}
    assert set(before) < set(sql(f"SHOW GRANTS FOR {user}")[0])
    assert reads(sql, "c_elegans.meta", password="secret") is True
    assert "denied" in reads(sql, "c_elegans.meta")
    assert sql(f"SELECT host FROM mysql.global_priv WHERE user = '{READER}'")[0] == [host]


@pytest.mark.parametrize("grant", ["ALL ON *.*", r"SELECT, INSERT ON `c\_%`.*"])
def test_a_reader_who_may_do_more_loses_nothing(server, make_opts, layout, grant):
    functions, sql = server
    released(sql, layout, functions)
    sql(f"CREATE USER {READER}@localhost IDENTIFIED VIA unix_socket")
    sql(f"GRANT {grant} TO {READER}@localhost")
    readable(make_opts, functions)
    assert reads(sql, "clustal.meta") is True
    insert = "INSERT INTO c_elegans_WS221.meta VALUES ('more', 'x')"
    assert sql(insert, user=READER, by=READER) == ([], "")


@pytest.mark.parametrize(
    "identified, webapp, why",
    [
        ("IDENTIFIED VIA unix_socket ACCOUNT LOCK", READER, "locked"),
        ("IDENTIFIED VIA unix_socket", "daemon", "runs as daemon"),
        (None, "daemon", "runs as daemon"),
    ],
)
def test_a_reader_who_can_not_serve_is_told_and_left_alone(
    server, make_opts, load, identified, webapp, why
):
    _, sql = server
    if identified:
        sql(f"CREATE USER {READER}@localhost {identified}")
    users = sql("SELECT * FROM mysql.global_priv")
    functions = load("node", {**PILLAR, "webapp": {"user": webapp}})
    for test in (True, False):
        told = readable(make_opts, functions, test)
        assert told["result"] is False and why in told["comment"]
    assert sql("SELECT * FROM mysql.global_priv") == users


def test_flush_lets_the_reader_read_a_database_that_is_new(server, make_opts, layout):
    functions, sql = server
    released(sql, layout, functions)
    readable(make_opts, functions)
    database(sql, "m_hapla_WS222", "WS222")
    flip(layout, "m_hapla", "m_hapla_WS222")
    assert "denied" in reads(sql, "m_hapla.meta")
    functions["wb_mysql.flush"]()
    assert reads(sql, "m_hapla.meta") is True


def test_the_report_logs_in_as_its_own_user_and_reads_what_is_new(server, layout, load):
    functions = load("node", {**PILLAR, "report": {"user": "daemon"}})
    _, sql = server
    released(sql, layout, functions)
    functions["wb_mysql.let_read"]("daemon")
    assert reads(sql, "clustal.meta", user="daemon", by="daemon") is True
    database(sql, "m_hapla_WS222", "WS222")
    flip(layout, "m_hapla", "m_hapla_WS222")
    functions["wb_mysql.flush"]()
    assert reads(sql, "m_hapla.meta", user="daemon", by="daemon") is True


def test_a_server_that_is_down_is_told_in_one_sentence(layout, load, make_opts):
    functions = load("node", {})
    result = states(make_opts, functions, False)["wb_mysql.readable"]("r", reader="wormbase")
    assert result["result"] is False
    assert "systemctl status mariadb" in result["comment"]
    result = states(make_opts, functions, True)["wb_mysql.readable"]("r", reader="wormbase")
    assert result["result"] is None
    with pytest.raises(Exception, match="not the name of a user"):
        functions["wb_mysql.let_read"]("x'; DROP")
