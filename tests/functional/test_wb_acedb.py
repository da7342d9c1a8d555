"""wb_acedb with real servers under a real xinetd, whose live link moves."""

import os
import socket
import subprocess
import time
from contextlib import suppress

import pytest
from acedbs import database
from wbcore.errors import StepFailed
from wbnode.acedb import AceClient
from wbnode.serving import acedb


@pytest.fixture
def server(tmp_path, programs, load, layout):
    """Both releases on the node ``node``, WS220 live, under xinetd on a port of its own."""
    home = layout.kind("acedb")
    for build in ("WS220", "WS221"):
        database(programs, home / f"wormbase_{build}", build)
    layout.link("acedb").symlink_to("wormbase_WS220")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "xinetd.conf").write_text(
        "service acedb\n{\ntype = UNLISTED\nsocket_type = stream\nprotocol = tcp\nwait = yes\n"
        f"flags = IPv4\nbind = 127.0.0.1\nport = {port}\nuser = root\ndisable = no\n"
        f"server = {programs}/bin/saceserver\nserver_args = {layout.link('acedb')} 600:600:0\n}}\n"
    )
    argv = ["xinetd", "-dontfork", "-f", tmp_path / "xinetd.conf", "-filelog", tmp_path / "log"]
    xinetd = subprocess.Popen(argv)
    functions = load("node", {"acedb": {"port": port}})
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            AceClient(port, 5).__exit__(None, None, None)
            break
        except OSError:
            time.sleep(0.05)
    yield functions, port
    xinetd.terminate()
    xinetd.wait()
    kill(serving(layout))


def kill(pids):
    """Kill servers, some of which may end by themselves in between: they are idle."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)


def serving(layout):
    """Process ids of the servers of the live link, as their read locks tell."""
    locks = layout.kind("acedb").glob("*/database/readlocks/*")
    pids = [int(lock.suffix[1:]) for lock in locks]
    return [pid for pid in pids if os.path.exists(f"/proc/{pid}")]


def flip(layout, build):
    beside = layout.link("acedb").with_name("beside")
    beside.symlink_to(f"wormbase_{build}")
    beside.replace(layout.link("acedb"))


def test_build_is_that_of_the_running_server(server, layout):
    functions, _ = server
    assert functions["wb_acedb.build"]() == "WS220"
    flip(layout, "WS221")
    assert functions["wb_acedb.build"]() == "WS220"


def test_restart_serves_the_new_target_at_once_and_leaves_no_lock(server, layout):
    functions, port = server
    flip(layout, "WS221")
    result = functions["wb_acedb.restart"]()
    assert result["build"] == "WS221"
    assert result["seconds"] < 1
    locks = list(layout.kind("acedb").glob("wormbase_WS220/database/readlocks/*"))
    assert locks == []
    with AceClient(port, 5) as client:
        client.ask("find Gene WBGene00000898")
        assert "daf-2 of WS221" in client.ask("show -j")


def test_restart_ends_a_server_that_somebody_is_connected_to(server, layout):
    functions, port = server
    client = AceClient(port, 5)
    flip(layout, "WS221")
    assert functions["wb_acedb.restart"]()["build"] == "WS221"
    with pytest.raises(OSError, match=r"closed|reset|[Bb]roken"):
        client.ask("status")


def test_restart_works_with_no_server_at_work(server, layout):
    functions, _ = server
    kill(serving(layout))
    assert functions["wb_acedb.restart"]()["build"] == "WS220"


def test_what_is_served_is_the_name_and_the_directory_that_is_open(server, layout):
    _, port = server
    assert acedb.build(layout, port, 5) == "WS220"
    flip(layout, "WS221")
    assert acedb.build(layout, port, 5) == "WS220"


def test_a_directory_of_another_build_than_its_name_is_not_served(server, layout):
    functions, port = server
    home = layout.kind("acedb")
    (home / "wormbase_WS221").rename(home / "wormbase_WS222")
    flip(layout, "WS222")
    functions["wb_acedb.restart"]()
    with pytest.raises(StepFailed, match="says that it is WS221, and has wormbase_WS222 open"):
        acedb.build(layout, port, 5)


def test_a_port_without_acedb_is_named(layout):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(StepFailed, match=f"AceDB does not answer on port {port}"):
        acedb.build(layout, port, 5)
