"""When a service is restarted, and whether packages are installed.

Whether services run is asked of systemd, in tests/system/test_services.py.
"""

import socket
import subprocess
from contextlib import contextmanager

import pytest
import salt.loader


@pytest.fixture
def states(make_opts):
    opts = {**make_opts("node", {}), "test": True}
    return salt.loader.states(opts, salt.loader.minion_mods(opts), {}, None)


@pytest.fixture
def status(layout):
    """What dpkg has here, and one package that was removed, at the scratch node's place."""
    text = subprocess.run(
        ["cat", "/var/lib/dpkg/status"], capture_output=True, text=True, check=True
    ).stdout
    text += "\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: all\n"
    text += "\nPackage: held\nEssential: yes\nStatus: hold ok installed\n"
    path = layout.root / "var/lib/dpkg/status"
    path.parent.mkdir(parents=True)
    path.write_text(text)


def test_packages_are_those_of_dpkg(status, states):
    installed = states["wb_package.installed"]
    assert installed("these", pkgs=["dpkg", "bash", "held"])["result"] is True
    missing = installed("these", pkgs=["dpkg", "gone", "no-such-package"])
    assert missing["result"] is None
    assert set(missing["changes"]) == {"gone", "no-such-package"}


@pytest.mark.parametrize(
    ("state", "changes", "called"),
    [
        # Salt calls mod_watch after it, since nothing changed.
        ({"running": True, "enabled": True, "current": False}, {}, ["reread"]),
        ({"running": False, "enabled": True, "current": False}, {"running"}, ["reread", "restart"]),
        # Salt calls no mod_watch after a change.
        ({"running": True, "enabled": False, "current": True}, {"enabled"}, ["enable", "reload"]),
    ],
)
def test_a_unit_whose_file_changed_is_read_and_what_is_watched_still_counts(
    make_opts, state, changes, called
):
    opts, calls, have = {**make_opts("node", {}), "test": False}, [], dict(state)
    functions = salt.loader.minion_mods(opts)

    def does(verb, **now):
        return lambda *_: calls.append(verb) or have.update(now) or True

    functions["wb_service.state"] = lambda name: dict(have)
    functions["wb_service.reread"] = does("reread", current=True)
    functions["service.enable"] = does("enable", enabled=True)
    for verb in ("restart", "reload"):
        functions[f"service.{verb}"] = does(verb, running=True)
    functions.pack["__salt__"] = functions
    states = salt.loader.states(opts, functions, {}, None)
    result = states["wb_service.running"]("a-service", reload=True)
    assert (result["result"], set(result["changes"]), calls) == (True, set(changes), called)


@pytest.fixture
def node(layout, make_opts):
    """The states of services on a node with these roles, on which something is live or not;
    its functions. What is done to services is noted, and which events it sends."""

    def node(roles, live, test=False, **have):
        about = {"address": "127.0.0.1", "site": "local", "roles": roles}
        opts = {**make_opts("node", {"nodes": {"node": about}}), "test": test}
        link = layout.production if "web" in roles else layout.link("mysql/c_elegans")
        link.parent.mkdir(parents=True, exist_ok=True)
        if live and not link.is_symlink():
            link.symlink_to("WS221-2010.12.24-0.02-1350")
        functions = salt.loader.minion_mods(opts)
        # Salt takes functions that know their module.
        functions["event.send"] = lambda tag: node.sent.append(tag)  # noqa: PLW0108

        def does(verb):
            return lambda name: node.done.append(verb) or state.update(running=True) or True

        state = {"running": True, "enabled": True, "current": True, **have}
        functions["wb_service.state"] = lambda _: dict(state)
        for verb in ("restart", "reload", "enable"):
            functions[f"service.{verb}"] = does(verb)
        functions.pack["__salt__"] = functions
        return salt.loader.states(opts, functions, {}, None), functions

    node.sent, node.done = [], []
    return node


@pytest.mark.parametrize("reload", [True, False])
def test_a_restart_on_a_web_node_that_serves_waits_until_it_is_out_of_the_pool(node, reload):
    states, functions = node(["web"], live=True)
    result = states["wb_service.mod_watch"]("a-service", reload=reload, interrupts=True)
    assert (result["result"], result["changes"]) == (True, {"a-service": "restart due"})
    assert "out of the pool" in result["comment"]
    assert functions["wb_service.due"]() == ["a-service"] and node.done == []
    assert node.sent == ["wormbase/due/node"]
    again = states["wb_service.mod_watch"]("a-service", reload=reload, interrupts=True)
    assert again["changes"] == {} and node.sent == ["wormbase/due/node"]


def test_a_restart_that_would_wait_is_told_in_a_dry_run(node):
    states, functions = node(["web"], live=True, test=True)
    result = states["wb_service.mod_watch"]("a-service", interrupts=True)
    assert result["result"] is None and functions["wb_service.due"]() == []
    assert node.sent == []


def test_a_restart_on_a_node_of_no_pool_waits_for_people(node):
    states, functions = node(["mysql"], live=True)
    result = states["wb_service.mod_watch"]("a-service", interrupts=True)
    assert "run salt node wb_service.restart_due" in result["comment"]
    assert functions["wb_service.due"]() == ["a-service"]
    assert (node.done, node.sent) == ([], [])


@pytest.mark.parametrize("roles", [["mysql"], ["web"]])
def test_a_restart_on_a_node_on_which_nothing_is_live_is_done_at_once(node, roles):
    states, functions = node(roles, live=False)
    states["wb_service.mod_watch"]("a-service", interrupts=True)
    assert (functions["wb_service.due"](), node.done, node.sent) == ([], ["restart"], [])


@contextmanager
def somebody_listens(layout, kind):
    """A server that no unit has started; where it is reached."""
    if kind == "port":
        with socket.create_server(("127.0.0.1", 0)) as server:
            yield server.getsockname()[1]
    else:
        layout.root.mkdir(exist_ok=True)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(layout.root / "s"))
            server.listen()
            yield "/s"


@pytest.mark.parametrize("kind", ["port", "socket"])
@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("enabled", [True, False])
def test_what_was_started_by_other_means_goes_on_serving(node, layout, kind, live, enabled):
    due, boot = {"a-service": "restart due"}, {"enabled": {"old": False, "new": True}}
    changes = due if enabled else due | boot
    about = {"roles": ["web"], "live": live, "running": False, "enabled": enabled}
    with somebody_listens(layout, kind) as at:
        dry, functions = node(**about, test=True)
        told = dry["wb_service.running"]("a-service", at=at)
        assert (told["result"], told["changes"]) == (None, changes)
        assert functions["wb_service.due"]() == [] and node.done == []

        states, functions = node(**about)
        told = states["wb_service.running"]("a-service", at=at)
        assert (told["result"], told["changes"]) == (True, changes)
        assert functions["wb_service.due"]() == ["a-service"]
        assert node.done == ([] if enabled else ["enable"])
        states, _ = node(**{**about, "enabled": True})
        assert states["wb_service.running"]("a-service", at=at)["changes"] == {}
        assert "restart" not in node.done


def test_what_serves_and_does_not_start_at_boot_is_enabled_and_restarts_later(node):
    for test, result, done in ((True, None, []), (False, True, ["enable"])):
        states, functions = node(["web"], live=True, test=test, enabled=False)
        told = states["wb_service.running"]("a-service", interrupts=True)
        changes = {"a-service": "restart due", "enabled": {"old": False, "new": True}}
        assert (told["result"], told["changes"]) == (result, changes)
        assert node.done == done
    assert functions["wb_service.due"]() == ["a-service"]


@pytest.mark.parametrize("live", [True, False])
def test_what_does_not_run_is_started(node, live):
    """On a new node, and on one whose server has died."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for at in (port, "/nowhere"):
        states, functions = node(["web"], live, running=False, enabled=False)
        told = states["wb_service.running"]("a-service", interrupts=True, at=at)
        assert set(told["changes"]) == {"running", "enabled"}
        assert functions["wb_service.due"]() == []
    assert node.done == ["enable", "restart"] * 2


def test_a_unit_that_changed_is_read_and_that_is_no_change_of_the_service(make_opts):
    """Salt calls ``mod_watch`` only of a state that changed nothing."""
    opts, read = {**make_opts("node", {}), "test": False}, []
    functions = salt.loader.minion_mods(opts)
    stale = {"running": True, "enabled": True, "current": False}
    functions["wb_service.state"] = lambda name: stale
    functions["wb_service.reread"] = lambda: read.append("units")
    functions.pack["__salt__"] = functions
    running = salt.loader.states(opts, functions, {}, None)["wb_service.running"]
    result = running("no-such-service")
    assert (result["result"], result["changes"], read) == (True, {}, ["units"])


def test_what_is_due_is_restarted_once(layout, load):
    functions = load("node", {})
    asked = []
    functions["event.send"] = lambda *_: None
    functions["wb_webapp.restart"] = lambda: asked.append("webapp")
    functions["service.restart"] = lambda name: asked.append(name) or True
    functions.pack["__salt__"] = functions
    functions["wb_acedb.follow"] = lambda: asked.append("xinetd")
    functions["wb_service.state"] = lambda _: {"running": True}
    names = ["a-service", "mariadb", "wormbase-starman", "xinetd"]
    for name in names:
        functions["wb_service.restart_later"](name)
    assert functions["wb_service.restart_due"]() == names
    assert functions["wb_service.restart_due"]() == []
    assert asked == ["a-service", "mariadb", "webapp", "xinetd"]


def test_a_starman_of_a_unit_that_the_pillar_names_is_due_under_its_name(load):
    functions, asked = load("node", {"webapp": {"service": "starman"}}), []
    functions["wb_webapp.restart"] = lambda: asked.append("webapp")
    functions.pack["__salt__"] = functions
    functions["wb_service.restart_later"]("starman")
    assert functions["wb_service.restart_due"]() == ["starman"] and asked == ["webapp"]
