"""When a service is restarted, and whether packages are installed.

Whether services run is asked of systemd, in tests/system/test_services.py.
"""

import subprocess

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
def watched(layout, make_opts):
    """``mod_watch`` of a service that interrupts, on a node with these roles that is live or
    not; and the events that it sends."""
    sent = []

    def watched(roles, live, test=False):
        node = {"address": "127.0.0.1", "site": "local", "roles": roles}
        opts = {**make_opts("node", {"nodes": {"node": node}}), "test": test}
        layout.production.parent.mkdir(parents=True, exist_ok=True)
        if live:
            layout.production.symlink_to("WS221-2010.12.24-0.02-1350")
        functions = salt.loader.minion_mods(opts)
        # Salt takes functions that know their module.
        functions["event.send"] = lambda tag: sent.append(tag)  # noqa: PLW0108
        functions["service.restart"] = lambda name: watched.restarted.append(name) or True
        functions["wb_service.state"] = lambda name: {"running": True}
        functions.pack["__salt__"] = functions
        states = salt.loader.states(opts, functions, {}, None)
        return states["wb_service.mod_watch"]("no-such-service", interrupts=True), functions

    watched.sent, watched.restarted = sent, []
    return watched


def test_a_restart_on_a_web_node_that_serves_waits_until_it_is_out_of_the_pool(watched, layout):
    result, functions = watched(["web"], live=True)
    assert (result["result"], result["changes"]) == (True, {"no-such-service": "restart due"})
    assert "out of the pool" in result["comment"]
    assert functions["wb_service.due"]() == ["no-such-service"] and watched.restarted == []
    assert watched.sent == ["wormbase/due/node"]


def test_a_restart_that_would_wait_is_told_in_a_dry_run(watched, layout):
    result, functions = watched(["web"], live=True, test=True)
    assert result["result"] is None and functions["wb_service.due"]() == []
    assert watched.sent == []


@pytest.mark.parametrize(("roles", "live"), [(["mysql"], True), (["web"], False)])
def test_a_restart_on_a_node_that_serves_no_visitor_is_done_at_once(watched, roles, live):
    _, functions = watched(roles, live)
    assert watched.restarted == ["no-such-service"]
    assert functions["wb_service.due"]() == [] and watched.sent == []


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
    for name in ("mariadb", "wormbase-starman"):
        functions["wb_service.restart_later"](name)
    assert functions["wb_service.restart_due"]() == ["mariadb", "wormbase-starman"]
    assert functions["wb_service.restart_due"]() == [] and asked == ["mariadb", "webapp"]
