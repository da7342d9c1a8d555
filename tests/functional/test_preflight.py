"""wb_webapp.preflight with a real AceDB, MariaDB, and the webapp under Starman."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError
from wbcore.names import Release
from wbcore.settings import Settings
from wbnode.webapp.preflight import Preflight
from websites import make_staging

from lab import base
from lab.builds import acedb as builds
from lab.webapp import extlib

RELEASE = "WS221-2010.12.24-0.02-1"
GENES = 'Gene : "WBGene00000898"\nPublic_name "daf-2"\nConcise_description "insulin"\n'
TABLES = """
CREATE USER wormbase@localhost;
CREATE DATABASE c_elegans_WS221;
CREATE TABLE c_elegans_WS221.meta (name VARCHAR(40), value VARCHAR(40));
INSERT INTO c_elegans_WS221.meta VALUES ('build', 'WS221');
CREATE TABLE c_elegans_WS221.features (gene VARCHAR(20), type VARCHAR(20), start INT, stop INT,
  strand CHAR(1), chromosome VARCHAR(20), note VARCHAR(40));
"""


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def pillar():
    return {
        "acedb": {"user": "root", "group": "root", "preflight_port": free_port()},
        "webapp": {
            "user": "root",
            "group": "root",
            "preflight_port": free_port(),
            "check_paths": ["/version", "/gene/WBGene00000898"],
            "version_path": "/version",
        },
    }


@pytest.fixture(scope="module")
def programs() -> Path:
    """AceDB's programs, compiled once for the machine as the lab has them."""
    return base.acedb() / "usr/local"


@pytest.fixture
def database(layout, programs, monkeypatch) -> Path:
    monkeypatch.setenv("PATH", f"{programs}/bin:{os.environ['PATH']}")
    home = layout.kind("acedb") / "wormbase_WS221"
    shutil.copytree(programs / "share/acedb/wspec", home / "wspec")
    builds.specify(home / "wspec", "WS221")
    (home / "database").mkdir()
    (home.parent / "genes.ace").write_text(GENES)
    commands = f"y\nparse {home.parent}/genes.ace\nsave\nquit\n"
    subprocess.run(["tace", home], input=commands, text=True, check=True, capture_output=True)
    shutil.rmtree(home / "database/readlocks")
    (home / "database/log.wrm").unlink()
    return home


@pytest.fixture
def mysql(layout, monkeypatch) -> Iterator[subprocess.Popen]:
    """A server whose reader was never allowed to read the new database."""
    data, sock = layout.kind("mysql"), layout.mysql_socket
    sock.parent.mkdir(parents=True)
    data.parent.mkdir(parents=True)
    subprocess.run(
        ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--innodb=OFF",
         "--default-storage-engine=MyISAM", "--user=root", "--skip-test-db"],
        check=True,
    )  # fmt: skip
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}", f"--socket={sock}",
         "--skip-networking", "--innodb=OFF", "--default-storage-engine=MyISAM"],
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not sock.exists():
        assert server.poll() is None
        time.sleep(0.02)
    client = ["mariadb", "--no-defaults", f"--socket={sock}"]
    subprocess.run(client, input=TABLES, text=True, check=True)
    monkeypatch.setenv("WORMBASE_MYSQL_SOCKET", str(sock))
    yield server
    server.terminate()
    server.wait()


@pytest.fixture
def release(modules, layout, tmp_path) -> Path:
    extlib.unpack(tmp_path / "extlib")
    make_staging(layout.staging, tmp_path / "extlib")
    modules["wb_webapp.assemble"](RELEASE)
    return layout.website / RELEASE


def preflight(modules):
    return modules["wb_webapp.preflight"](
        RELEASE, {"c_elegans": "c_elegans_WS221"}, "wormbase_WS221"
    )


def state(directory: Path) -> dict[str, tuple[int, int]]:
    """Every path below a directory with its size and time."""
    return {
        str(path.relative_to(directory)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in directory.rglob("*")
        if path.is_file()
    } | {str(path): (0, 0) for path in directory.rglob("*") if path.is_dir()}


def nothing_listens(pillar) -> bool:
    return not any(listens(pillar[part]["preflight_port"]) for part in ("acedb", "webapp"))


def test_preflight_answers_and_leaves_nothing(modules, pillar, database, mysql, release):
    before = state(database)
    told = preflight(modules)
    assert {path: one["status"] for path, one in told["answers"].items()} == {
        "/version": 200,
        "/gene/WBGene00000898": 200,
    }
    assert told["version"]["release"] == str(Release.parse(RELEASE))
    assert told["version"]["acedb"] == "WS221"
    assert told["version"]["mysql"] == {"c_elegans": "WS221"}
    assert told["version"]["revision"] == 1
    assert state(database) == before
    assert nothing_listens(pillar)


def test_preflight_of_a_webapp_without_a_page_on_versions(
    load, pillar, database, mysql, release, layout
):
    about = {**pillar["webapp"], "version_path": "", "check_paths": {"/gene/WBGene00000898": "WB"}}
    told = preflight(load("node", {**pillar, "webapp": about}))
    assert told["version"] == {"release": RELEASE, "acedb": "WS221"}
    assert told["answers"]["/gene/WBGene00000898"]["status"] == 200
    about["check_paths"] = {"/gene/WBGene00000898": "of {build} only"}
    with pytest.raises(CommandExecutionError, match="lacks 'of WS221 only'"):
        preflight(load("node", {**pillar, "webapp": about}))
    assert nothing_listens(pillar)


def test_preflight_of_a_webapp_that_does_not_load(modules, pillar, database, mysql, release):
    (release / "lib/WormBase/Release.pm").unlink()
    before = state(database)
    with pytest.raises(CommandExecutionError, match=r"boot\.psgi does not load: Can"):
        preflight(modules)
    assert state(database) == before
    assert nothing_listens(pillar)


def test_preflight_tells_of_a_dead_database(modules, pillar, database, mysql, release):
    mysql.terminate()
    mysql.wait()
    with pytest.raises(CommandExecutionError, match="Can't connect to local server"):
        preflight(modules)
    assert nothing_listens(pillar)


def test_preflight_port_in_use_is_told(modules, pillar, database, mysql, release):
    with socket.socket() as other:
        other.bind(("127.0.0.1", pillar["webapp"]["preflight_port"]))
        other.listen()
        port = pillar["webapp"]["preflight_port"]
        with pytest.raises(CommandExecutionError, match=f"port {port}, where Starman"):
            preflight(modules)
    assert nothing_listens(pillar)


def test_preflight_ends_what_one_that_died_left(modules, pillar, database, mysql, release):
    port = pillar["acedb"]["preflight_port"]
    left = subprocess.Popen(["saceserver", database, str(port), "600:600:0"])
    while not listens(port):
        time.sleep(0.02)
    # Whoever adopts a process of a preflight that died also reaps it.
    threading.Thread(target=left.wait, daemon=True).start()
    assert preflight(modules)["version"]["acedb"] == "WS221"
    assert left.wait() is not None


def test_preflight_of_a_database_that_is_none(modules, pillar, database, mysql, release):
    shutil.rmtree(database / "wspec")
    with pytest.raises(CommandExecutionError, match="AceDB does not serve the new database"):
        preflight(modules)
    assert nothing_listens(pillar)


def test_preflight_twice_at_the_same_time(modules, pillar, database, mysql, release):
    # A job whose salt-run was killed goes on, and the same command is given again.
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(preflight, [modules, modules]))
    assert {one["version"]["acedb"] for one in told} == {"WS221"}
    assert nothing_listens(pillar)


def test_nothing_of_a_release_is_run_as_root(pillar):
    about = {**pillar["webapp"], "user": "nobody", "group": "nogroup"}
    with tempfile.TemporaryDirectory() as folder:
        release = Path(folder) / RELEASE
        (release / "bin").mkdir(parents=True)
        (release / "logs").mkdir()
        for path, mode in ((Path(folder), 0o755), (release / "logs", 0o777)):
            path.chmod(mode)
        script = release / "bin/starman-production.sh"
        script.write_text('#!/bin/sh\necho "$1 $(id -un) $(id -Gn)" >> logs/who\n')
        script.chmod(0o755)
        settings = Settings.parse({"webapp": about})
        with Preflight(settings, release, release).webapp({}):
            pass
        said = (release / "logs/who").read_text().splitlines()
    assert said == [f"{verb} nobody nogroup" for verb in ("stop", "start", "stop")]
