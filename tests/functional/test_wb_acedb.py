"""wb_acedb with real servers under a real xinetd, whose live link moves."""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress

import pytest
import salt.loader
from acedbs import database
from wbcore.errors import StepFailed
from wbnode.acedb import AceClient
from wbnode.serving import acedb, processes


def configuration(program, layout, port):
    return (
        "service acedb\n{\ntype = UNLISTED\nsocket_type = stream\nprotocol = tcp\nwait = yes\n"
        f"flags = IPv4\nbind = 127.0.0.1\nport = {port}\nuser = root\ndisable = no\n"
        f"server = {program}\nserver_args = {layout.link('acedb')} 600:600:0\n}}\n"
    )


def xinetd(tmp_path):
    argv = ["xinetd", "-dontfork", "-f", tmp_path / "xinetd.conf", "-filelog", tmp_path / "log"]
    return subprocess.Popen(argv)


def wait_until_it_answers(port):
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            AceClient(port, 5).__exit__(None, None, None)
            break
        except OSError:
            time.sleep(0.05)


@pytest.fixture(params=["saceserver", "sgifaceserver"])
def program(request, programs, tmp_path):
    """A server's program, under the name and in the place that sites have it."""
    place = tmp_path / "usr/local/wormbase/acedb/bin" / request.param
    place.parent.mkdir(parents=True)
    shutil.copy(programs / "bin/saceserver", place)
    return place


@pytest.fixture
def server(tmp_path, programs, program, load, layout):
    """Both releases on the node ``node``, WS220 live, under xinetd on a port of its own."""
    home = layout.kind("acedb")
    for build in ("WS220", "WS221"):
        database(programs, home / f"wormbase_{build}", build)
    layout.link("acedb").symlink_to("wormbase_WS220")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "xinetd.conf").write_text(configuration(program, layout, port))
    starter = xinetd(tmp_path)
    functions = load("node", {"acedb": {"port": port, "server": str(program)}})
    wait_until_it_answers(port)
    yield functions, port
    starter.terminate()
    starter.wait()
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


def test_an_xinetd_that_was_started_by_hand_gives_way_to_its_unit(server, layout, tmp_path):
    functions, port = server
    calls, started = [], []
    old = next(pid for pid in processes.holders(processes.listening(port)))

    def restart(name):
        calls.append(name)
        assert not processes.listening(port)
        started.append(xinetd(tmp_path))
        return True

    functions["wb_service.state"] = lambda _: {"running": False}
    functions["service.restart"] = restart
    functions["service.reload"] = lambda _: True
    functions.pack["__salt__"] = functions
    flip(layout, "WS221")
    try:
        assert functions["wb_acedb.follow"]()["build"] == "WS221"
        assert calls == ["xinetd"] and old not in processes.holders(processes.listening(port))
    finally:
        started[0].terminate()
        started[0].wait()


def test_an_xinetd_of_its_unit_is_reloaded_and_serves_with_its_new_file(
    server, layout, tmp_path, programs
):
    functions, port = server
    new = tmp_path / "new/saceserver"
    new.parent.mkdir()
    shutil.copy(programs / "bin/saceserver", new)
    (tmp_path / "xinetd.conf").write_text(configuration(new, layout, port))

    def reload(_):
        for pid in processes.holders(processes.listening(port)):
            if processes.program(pid) == "xinetd":
                os.kill(pid, signal.SIGHUP)
        return True

    functions["wb_service.state"] = lambda _: {"running": True}
    functions["service.reload"] = reload
    functions.pack["__salt__"] = functions
    assert functions["wb_acedb.follow"]()["build"] == "WS220"
    found = {os.readlink(f"/proc/{pid}/exe") for pid in serving(layout)}
    assert found == {str(new)}


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


ENTRY = "service {name}\n{{\n    type = UNLISTED\n    port = {port}\n    wait = yes{more}\n}}\n"


@pytest.mark.parametrize(
    ("name", "text", "rival"),
    [
        ("elegans", ENTRY.format(name="elegans", port=2005, more=""), True),
        ("elegans", "# old\n" + ENTRY.format(name="x", port=1, more="")
         + ENTRY.format(name="elegans", port=2005, more=""), True),
        ("elegans", "service smtp {\n protocol = tcp\n}\n", False),
        ("elegans", ENTRY.format(name="elegans", port=2005, more="\n    disable = yes"), False),
        ("elegans", ENTRY.format(name="elegans", port=2006, more=""), False),
        ("elegans.old", ENTRY.format(name="elegans", port=2005, more=""), False),
        ("acedb", ENTRY.format(name="elegans", port=2005, more=""), False),
    ],
)  # fmt: skip
def test_another_file_of_xinetd_for_the_port_is_named(make_opts, layout, tree, name, text, rival):
    tree(layout.below("/etc/xinetd.d"), {name: text.encode()})
    opts = make_opts("node", {})
    functions = salt.loader.minion_mods(opts)
    sole = salt.loader.states({**opts, "test": False}, functions, {}, None)["wb_acedb.sole"]
    said = sole("s")
    assert (said["result"], said["changes"]) == (not rival, {})
    if rival:
        assert f"/etc/xinetd.d/{name} has an entry" in said["comment"]


def test_a_name_of_a_service_stands_for_its_port(load, layout, tree):
    tree(layout.below("/etc/xinetd.d"), {"mail": b"service smtp\n{\n protocol = tcp\n}\n"})
    assert load("node", {"acedb": {"port": 25}})["wb_acedb.rivals"]() != []
