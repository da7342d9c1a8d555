"""The report of a web node: the real program over a real Starman, MariaDB and AceDB."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from acedbs import database
from databases import mariadb
from proxysite import ADDRESSES, ProxySite
from starmen import free_port, get, make_release, starman, wait_until
from wbcore.layout import Layout

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
LOOPBACK = "ip link set lo up; ip addr add $1/32 dev lo; ip addr add $2/32 dev lo; shift 2"
NEW = "WS221-2010.12.24-0.02-1350"
# The report's own user, with what its unit allows it, and nothing else.
USER = "nobody"
UNIT = (CHECKOUT / "salt/states/report/wormbase-report.service").read_text()
CAPS = re.search("^AmbientCapabilities=(.*)$", UNIT, re.MULTILINE)[1]
CAPS = ",".join(f"+{name.removeprefix('CAP_').lower()}" for name in CAPS.split())
SERVED = {
    "node": "wb-web1",
    "release": NEW,
    "webapp": "0.02",
    "revision": 1350,
    "acedb": "WS221",
    "mysql": {"c_elegans": "WS221"},
    "pages": {"/": 200},
}


@pytest.fixture
def tmp_path():
    # The report's user has to reach its program, and pytest keeps its own directories closed.
    with tempfile.TemporaryDirectory(prefix="wb-report-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture
def ports():
    return {"webapp": free_port(), "acedb": free_port(), "report": free_port()}


@pytest.fixture
def pillar(ports):
    web = {"address": "127.0.0.1", "site": "local", "roles": ["acedb", "mysql", "web"]}
    fe = {"address": "192.0.2.1", "site": "local", "roles": ["proxy"]}
    return {
        "nodes": {"wb-web1": web, "fe": fe},
        "mysql": {"user": "root", "group": "root"},
        "report": {"port": ports["report"], "user": USER},
        "acedb": {"port": ports["acedb"]},
        "webapp": {"port": ports["webapp"], "check_paths": {"/": "<html>{release}"}},
    }


@pytest.fixture
def layout(tmp_path):
    return Layout(tmp_path / "wb-web1")


@pytest.fixture
def node(layout, load, pillar, ports, programs):
    """A web node that serves WS221, with its report; its execution functions."""
    functions = load("wb-web1", pillar)
    with serving_mysql(layout, functions), serving_acedb(layout, programs, ports["acedb"]):
        place = make_release(layout.website / NEW)
        with starman(place / "app.psgi", ports["webapp"], place):
            yield functions


@contextmanager
def serving_mysql(layout, functions):
    with mariadb(layout, functions) as sql:
        sql("CREATE DATABASE c_elegans_WS221; CREATE TABLE c_elegans_WS221.features (x INT)")
        layout.link("mysql/c_elegans").symlink_to("c_elegans_WS221")
        functions["wb_mysql.let_read"](USER)
        yield sql


@contextmanager
def serving_acedb(layout, programs, port):
    place = layout.kind("acedb") / "wormbase_WS221"
    database(programs, place, "WS221")
    server = subprocess.Popen(
        [programs / "bin/saceserver", place, str(port), "600:600:0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        server.kill()
        server.wait()


def lay_out(layout, configuration):
    """What ``report.served`` puts on a node."""
    programs = layout.programs
    shutil.copytree(CHECKOUT / "salt/_utils/wbcore", programs / "wbcore")
    shutil.copytree(CHECKOUT / "salt/_utils/wbnode/serving", programs / "wbnode/serving")
    for name in ("__init__.py", "acedb.py"):
        shutil.copy(CHECKOUT / "salt/_utils/wbnode" / name, programs / "wbnode")
    shutil.copy(CHECKOUT / "salt/states/report/report.py", programs)
    layout.report.write_text(json.dumps(configuration))
    for folder in (layout.root, *layout.root.rglob("*")):
        if folder.is_dir() and not folder.is_relative_to(layout.kind("mysql")):
            folder.chmod(0o755)


@contextmanager
def reporting(layout, configuration, before=()):
    """The program, as the unit runs it; it answers already."""
    if not layout.programs.exists():
        lay_out(layout, configuration)
    argv = ["setpriv", f"--reuid={USER}", "--clear-groups", "--no-new-privs"]
    argv += [f"--inh-caps=-all,{CAPS}", f"--ambient-caps={CAPS}", f"--bounding-set=-all,{CAPS}"]
    program = ["/usr/bin/python3", "-B", layout.programs / "report.py", "--root", layout.root]
    server = subprocess.Popen([*before, *argv, *program])
    try:
        if not before:
            wait_until(lambda: get(configuration["port"]) == 404)
        yield server
    finally:
        server.terminate()
        server.wait()


def served(port, seconds=20):
    """Status and report."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/served")
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def test_the_report_is_what_the_servers_serve(node, layout, ports):
    with reporting(layout, node["wb_settings.report"]()):
        assert served(ports["report"]) == (200, SERVED)
        assert node["wb_live.version"]() == SERVED


def test_what_can_not_be_learnt_is_an_error(node, layout, ports):
    with reporting(layout, node["wb_settings.report"]()):
        layout.link("mysql/m_hapla").symlink_to("m_hapla_WS221")
        status, told = served(ports["report"])
    assert status == 503
    assert told["error"].startswith(
        "MySQL's m_hapla has no MyISAM or Aria table to be asked for; look"
    )
    assert (told["release"], told["acedb"]) == (NEW, "WS221")
    assert node["wb_live.version"]()["error"] == told["error"]


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ({"release": NEW, "acedb": "WS221", "mysql": {"c_elegans": "WS221", "x": "WS1"}}, None),
        ({"release": NEW, "acedb": "WS220"}, "acedb is 'WS220', the servers say 'WS221'"),
        ({"mysql": {"c_elegans": "WS220"}}, "MySQL's c_elegans is 'WS220', the servers say"),
        ([], "the page /version says []"),
    ],
)
def test_a_page_of_the_webapp_has_to_agree(node, layout, load, pillar, page, says):
    pillar["webapp"]["version_path"] = "/version"
    (layout.website / NEW / "version.json").write_text(json.dumps(page))
    told = load("wb-web1", pillar)["wb_live.version"]()
    if says is None:
        assert told == SERVED
    else:
        assert says in told["error"]


def test_a_page_that_fails_is_an_error(node, load, pillar):
    pillar["webapp"]["check_paths"] = ["/", "/broken"]
    told = load("wb-web1", pillar)["wb_live.version"]()
    assert told["error"].startswith(f"the page /broken of {NEW} answers 500")


def test_many_questions_at_once_get_one_answer(node, layout, ports):
    with reporting(layout, node["wb_settings.report"]()):
        began = time.monotonic()
        with ThreadPoolExecutor(100) as clients:
            answers = list(clients.map(lambda _: served(ports["report"]), range(100)))
        assert answers == [(200, SERVED)] * 100
        assert time.monotonic() - began < 10


def test_a_server_that_hangs_and_a_client_that_hangs_hold_up_nobody(node, layout, ports):
    processes = (layout.root / "pid").read_text()
    with reporting(layout, node["wb_settings.report"]()):
        with socket.create_connection(("127.0.0.1", ports["report"])):
            assert served(ports["report"], seconds=2)[0] == 200
        os.kill(int(processes), signal.SIGSTOP)
        try:
            began = time.monotonic()
            status, told = served(ports["report"])
            assert (status, time.monotonic() - began < 8) == (503, True)
            assert "MySQL does not answer within 5 s" in told["error"]
        finally:
            os.kill(int(processes), signal.SIGCONT)
        assert served(ports["report"]) == (200, SERVED)


def test_the_proxy_and_the_node_itself_are_answered_and_nobody_else(layout, load, pillar, ports):
    configuration = load("wb-web1", pillar)["wb_settings.report"]()
    assert configuration["proxies"] == ["192.0.2.1"]
    addresses = ["192.0.2.1", "192.0.2.2"]
    # A network of its own, in which both addresses are this node's.
    network = ["unshare", "-n", "sh", "-c", f'{LOOPBACK}; exec "$@"', "-", *addresses]
    with reporting(layout, configuration, network) as server:
        wait_until(lambda: inside(server.pid, "127.0.0.1", ports))
        asked = {one: inside(server.pid, one, ports) for one in ["127.0.0.1", *addresses]}
    # The report of this node, on which no server runs, is an error.
    assert asked == {"127.0.0.1": 503, "192.0.2.1": 503, "192.0.2.2": 403}


def inside(pid, address, ports):
    """The status that the report gives to an address of its own network; 0 for no answer."""
    code = "import sys, starmen; print(starmen.get(int(sys.argv[2]), '/served', sys.argv[1]))"
    argv = ["nsenter", "-t", str(pid), "-n", sys.executable, "-c", code]
    return int(subprocess.check_output([*argv, address, str(ports["report"])], cwd=HERE))


def test_the_proxy_learns_it_through_nginx(node, layout, load, ports, tmp_path):
    with reporting(layout, node["wb_settings.report"]()):
        site = ProxySite(tmp_path / "fe", load, ports["report"])
        site.start()
        try:
            answers = site.salt["wb_proxy.reports"](list(ADDRESSES))
        finally:
            site.stop()
    assert {name: one["body"] for name, one in answers.items()} == dict.fromkeys(ADDRESSES, SERVED)
