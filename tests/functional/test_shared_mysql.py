"""A MariaDB that has other applications, too: InnoDB, and clients over the network."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import jinja2
import pytest
import salt.loader
from databases import SMALL, client, configure, socket_of, start, wait_until_it_answers
from starmen import free_port, wait_until
from wbcore.build.manifest import Contents
from wbcore.datasets import Dataset
from wbcore.settings import Settings
from wbnode.dataset_store import DatasetStore

OURS = Path(__file__).resolve().parents[2] / "salt/states/mysql/wormbase.cnf"
PILLAR = {
    "nodes": {"node": {"address": "127.0.0.1", "site": "local", "roles": ["mysql"]}},
    "mysql": {"user": "root", "group": "root"},
}
WITH_INNODB = """\
innodb-buffer-pool-size = 8M
innodb-log-file-size = 4M
innodb-flush-method = nosync
bind-address = 127.0.0.1
"""
SHOP = """
CREATE DATABASE shop;
CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB;
INSERT INTO shop.orders VALUES ();
CREATE TABLE shop.archive (id INT) ENGINE=MyISAM;
INSERT INTO shop.archive VALUES (1);
CREATE USER app IDENTIFIED BY 'secret';
GRANT ALL ON shop.* TO app
"""
# Longer than all that a test does meanwhile.
LONG_SECONDS = 15


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def functions(load):
    return load("node", PILLAR)


@pytest.fixture
def states(make_opts, functions):
    def states(test=False):
        opts = {**make_opts("node", PILLAR), "test": test}
        return salt.loader.states(opts, functions, {}, None)

    return states


@contextmanager
def running(layout):
    """The server as its configuration says; what was started meanwhile is ended, too."""
    servers = [start(layout)]
    sql = client(layout)
    wait_until_it_answers(sql)
    try:
        yield servers, sql
    finally:
        for server in servers:
            server.terminate()
            server.wait()


@pytest.fixture
def site(layout, port, functions):
    """A server of a site that has a shop besides WS220, where the project finds it; SQL."""
    data = layout.kind("mysql")
    data.mkdir(parents=True)
    configure(layout, f"datadir = {data}\nport = {port}\n{WITH_INNODB}")
    functions["wb_mysql.initialise"]()
    with running(layout) as (servers, sql):
        sql(SHOP)
        for build in ("WS220", "WS221"):
            make(layout, sql, build)
        layout.link("mysql/c_elegans").symlink_to("c_elegans_WS220")
        yield servers, sql


def make(layout, sql, build):
    name = f"c_elegans_{build}"
    sql(
        f"CREATE DATABASE {name}; CREATE TABLE {name}.meta (build VARCHAR(9)) ENGINE=MyISAM;"
        f"INSERT INTO {name}.meta VALUES ('{build}'); FLUSH TABLES {name}.meta"
    )
    found = Dataset.parse(f"mysql/{name}")
    DatasetStore(layout, Settings()).mark(found, Contents(), build)


def our_configuration(layout, functions):
    template = jinja2.Template(OURS.read_text())
    place = layout.below("/etc/mysql/mariadb.conf.d/90-wormbase.cnf")
    place.write_text(template.render(salt=functions))


def over_the_network(port, *words, **options):
    argv = ["mariadb", "--no-defaults", "--host=127.0.0.1", f"--port={port}", "--user=app"]
    environment = {**os.environ, "MYSQL_PWD": "secret"}
    return subprocess.Popen(
        [*argv, "--skip-reconnect", "-BN", *words], env=environment, text=True, **options
    )


class Customer:
    """Orders without pause over one connection, and notes what it had to wait for an answer."""

    def __init__(self, port):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        self._client = over_the_network(port, "--unbuffered", **pipes)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._order)
        self.orders, self.longest = 0, 0.0

    def __enter__(self):
        self._thread.start()
        wait_until(lambda: self.orders)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        _, self.complaint = self._client.communicate()

    def _order(self):
        while not self._stop.is_set():
            began = time.monotonic()
            self._client.stdin.write(
                "INSERT INTO shop.orders VALUES (); SELECT COUNT(*) > 1 FROM shop.orders;\n"
            )
            self._client.stdin.flush()
            if self._client.stdout.readline() != "1\n":
                return
            self.orders += 1
            self.longest = max(self.longest, time.monotonic() - began)


def test_configuration_and_go_live_leave_other_applications_alone(
    site, states, functions, layout, port
):
    _, sql = site
    slow = f"LOCK TABLES shop.archive WRITE; SELECT SLEEP({LONG_SECONDS}) FROM shop.archive"
    with Customer(port) as customer:
        report = over_the_network(port, f"--execute={slow}", stdout=subprocess.DEVNULL)
        wait_until(lambda: any("SLEEP" in row for row in sql("SHOW FULL PROCESSLIST")[0]))
        our_configuration(layout, functions)
        for state in ("wb_mysql.together", "wb_mysql.initialised", "wb_mysql.placed"):
            said = states()[state]("MariaDB")
            assert (said["result"], said["changes"]) == (True, {}), said
        links, before = {"mysql/c_elegans": "c_elegans_WS221"}, time.time() + 60
        sql("SELECT * FROM c_elegans.meta")
        assert functions["wb_live.switch"](links, run="a-run", before=before)["changed"]
        assert sql("SELECT * FROM c_elegans.meta")[0] == ["WS221"]
        assert report.poll() is None, "the release waited for another application"
        done = customer.orders
        wait_until(lambda: customer.orders > done)
        report.kill()
        report.wait()
    assert customer.complaint == "" and customer.longest < LONG_SECONDS / 3
    assert sql("SELECT COUNT(*) FROM shop.orders")[0] == [str(customer.orders + 1)]


def test_after_the_next_start_nothing_is_missing(site, functions, layout, port):
    servers, sql = site
    our_configuration(layout, functions)
    (layout.kind("mysql") / ".incoming").mkdir(exist_ok=True)
    assert "#mysql50#.incoming" in sql("SHOW DATABASES")[0]
    servers[0].terminate()
    servers[0].wait()
    servers.append(start(layout))
    wait_until_it_answers(sql)
    assert {"shop", "c_elegans"} <= set(sql("SHOW DATABASES")[0])
    assert "#mysql50#.incoming" not in sql("SHOW DATABASES")[0]
    ask = "--execute=SELECT id FROM shop.orders"
    asked = over_the_network(port, ask, stdout=subprocess.PIPE)
    assert asked.communicate()[0] == "1\n" and asked.returncode == 0


@pytest.fixture
def elsewhere(layout, tmp_path):
    """The data directory that the site's own configuration names, empty but for MariaDB's own."""
    place = tmp_path / "elsewhere"
    place.mkdir()
    configure(layout, f"datadir = {place}\n{SMALL}")
    argv = ["mariadb-install-db", "--no-defaults", f"--datadir={place}", "--user=root"]
    argv += ["--auth-root-authentication-method=socket", "--skip-test-db"]
    argv += ["--innodb=OFF", "--default-storage-engine=MyISAM"]
    subprocess.run(argv, check=True, capture_output=True)
    return place


def test_databases_that_would_be_lost_are_named_and_nothing_is_done(
    elsewhere, states, functions, layout
):
    assert states()["wb_mysql.together"]("t")["result"] is True
    (elsewhere / "wordpress").mkdir()
    for test in (True, False):
        said = states(test)["wb_mysql.together"]("t")
        assert said["result"] is False and f"{elsewhere}/wordpress; move" in said["comment"]
    our_configuration(layout, functions)
    assert states()["wb_mysql.together"]("t")["result"] is True


def test_a_server_that_has_nothing_yet_is_moved_at_once(elsewhere, states, functions, layout):
    """As on a node whose MariaDB was installed a moment ago."""
    with running(layout) as (servers, sql):
        our_configuration(layout, functions)
        layout.kind("mysql").mkdir(parents=True)
        functions["wb_mysql.initialise"]()

        def restart(_):
            servers.pop().terminate()
            wait_until(lambda: not functions["wb_service.taken"]("/run/mysqld/mysqld.sock"))
            servers.append(start(layout))
            wait_until_it_answers(sql)
            return True

        functions["service.restart"] = restart
        functions["wb_service.state"] = lambda _: {"running": True}
        functions.pack["__salt__"] = functions
        assert states(test=True)["wb_mysql.placed"]("p")["result"] is None
        assert set(states()["wb_mysql.placed"]("p")["changes"]) == {"data directory"}
        assert states()["wb_mysql.placed"]("p")["changes"] == {}
        assert sql("SELECT @@datadir")[0] == [f"{layout.kind('mysql')}/"]


def test_a_server_that_has_databases_is_never_moved(elsewhere, states, functions, layout):
    with running(layout) as (servers, sql):
        sql("CREATE DATABASE wordpress")
        our_configuration(layout, functions)
        functions["service.restart"] = lambda _: pytest.fail("it was restarted")
        functions.pack["__salt__"] = functions
        said = states()["wb_mysql.placed"]("p")
        assert said["result"] is False and "with wordpress; move" in said["comment"]
        assert servers[0].poll() is None


def test_a_server_that_was_started_by_hand_gives_way_to_its_unit(site, functions, layout):
    servers, sql = site
    functions["wb_service.state"] = lambda _: {"running": False}

    def restart(_):
        assert not functions["wb_service.taken"]("/run/mysqld/mysqld.sock")
        servers.append(start(layout))
        wait_until_it_answers(sql)
        return True

    functions["service.restart"] = restart
    functions.pack["__salt__"] = functions
    assert functions["wb_mysql.restart"]() is True
    assert servers[0].wait(20) == 0 and sql("SELECT COUNT(*) FROM shop.orders")[0] == ["1"]


def test_a_socket_of_another_name_is_asked(layout, load):
    pillar = {**PILLAR, "mysql": {**PILLAR["mysql"], "socket": "/tmp/my.sock"}}
    functions = load("node", pillar)
    layout.kind("mysql").mkdir(parents=True)
    layout.below("/tmp").mkdir(parents=True)
    configure(layout, f"datadir = {layout.kind('mysql')}\n{SMALL}")
    file = layout.below("/etc/mysql/my.cnf")
    file.write_text(file.read_text().replace(str(socket_of(layout)), f"{layout.root}/tmp/my.sock"))
    functions["wb_mysql.initialise"]()
    server = start(layout)
    try:
        wait_until(lambda: functions["wb_service.taken"]("/tmp/my.sock"))
        wait_until(lambda: functions["wb_mysql.place"]()["databases"] == [])
        assert functions["wb_mysql.flush"]() is True
    finally:
        server.terminate()
        server.wait()
