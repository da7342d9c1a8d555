"""A node enforces its states, by Salt's own state.apply: what it tells, and when it waits."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil

import pytest
import salt.loader
from salt.exceptions import CommandExecutionError
from wbcore import drift
from wbcore.model import proxy_pools

NODES = {
    "node": {"address": "127.0.0.1", "site": "local", "roles": ["proxy"]},
    "wb-web1": {"address": "127.0.0.2", "site": "local", "roles": ["web"]},
}


@pytest.fixture
def node(tmp_path, make_opts, layout):
    """``wb_node.enforce`` of the node ``node``, whose one state is that a file holds ``words``;
    ``wanted`` is the file."""
    states, pillar = tmp_path / "states", tmp_path / "pillar"
    for folder in (states, pillar):
        folder.mkdir()
    wanted = tmp_path / "managed"
    (states / "top.sls").write_text("base:\n  '*':\n    - one\n")
    (pillar / "top.sls").write_text("base:\n  '*':\n    - site\n")
    layout.proxy.mkdir(parents=True)
    pool = layout.proxy / "pool_a.cfg"
    pool.write_text(proxy_pools.render("a", {"wb-web1": "127.0.0.2:5000"}))

    class Node:
        file = wanted
        live_pool = pool

        def wants(self, words="right", state="file.managed", minutes=15, **live):
            rows = f"    - name: {wanted}\n    - contents: {words}\n    - mode: '0644'\n"
            (states / "one.sls").write_text(f"the file is right:\n  {state}:\n{rows}")
            enforce = {"minutes": minutes}
            root = {"wormbase": {"nodes": NODES, "live": live, "enforce": enforce}}
            (pillar / "site.sls").write_text(json.dumps(root))

        def enforce(self, **how):
            return self.modules()["wb_node.enforce"](**how)

        def modules(self):
            opts = make_opts("node", {"nodes": NODES})
            opts.update(
                local=True,
                fileserver_backend=["roots"],
                file_roots={"base": [str(states)]},
                pillar_roots={"base": [str(pillar)]},
                renderer="jinja|yaml",
                autoload_dynamic_modules=False,
            )
            utils = salt.loader.utils(opts)
            return salt.loader.minion_mods(opts, utils=utils)

    made = Node()
    made.wants()
    return made


def kinds(answer):
    return [report["kind"] for report in answer["reports"]]


def test_what_is_applied_first_is_caught_up_and_then_nothing_is_told(node):
    first = node.enforce()
    assert kinds(first) == ["caught_up"]
    assert first["reports"][0]["changes"][0]["id"] == "the file is right"
    assert node.file.read_text() == "right\n"
    assert node.enforce() == {"reports": []}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.unlink(),
        lambda file: file.write_text("wrong"),
        lambda file: file.chmod(0o600),
    ],
    ids=["removed", "written", "mode"],
)
def test_what_somebody_changed_is_put_back_and_told_as_drift(node, spoil):
    node.enforce()
    spoil(node.file)
    told = node.enforce()
    assert kinds(told) == ["drift"]
    assert drift.Report.parse(told["reports"][0], "node").plain() == told["reports"][0]
    assert (node.file.read_text(), node.file.stat().st_mode & 0o777) == ("right\n", 0o644)
    assert node.enforce() == {"reports": []}


def test_what_has_to_be_anew_is_no_drift(node):
    node.enforce()
    node.wants("newer")
    assert kinds(node.enforce()) == ["caught_up"]
    node.file.write_text("wrong")
    assert kinds(node.enforce()) == ["drift"]


def test_what_could_not_be_put_right_is_told_and_stays_to_be_caught_up(node):
    node.file.mkdir()
    assert kinds(node.enforce()) == ["failed"]
    node.file.rmdir()
    assert kinds(node.enforce()) == ["caught_up"]


def test_states_that_do_not_render_are_told(node):
    node.wants(state="file.managed: [")
    (report,) = node.enforce()["reports"]
    assert report["kind"] == "failed" and report["changes"][0]["id"] == "state.apply"


@pytest.mark.parametrize("lock", ["switch_lock", "pull_lock", "webapp_lock", "enforce_lock"])
def test_it_is_put_off_while_the_node_is_at_work(node, layout, lock):
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(open(getattr(layout, lock), "w"))
        fcntl.flock(file, fcntl.LOCK_EX)
        assert list(node.enforce()) == ["put_off"]
        assert not node.file.exists()
    assert kinds(node.enforce()) == ["caught_up"]


def test_it_is_put_off_in_a_go_live(node):
    node.wants(going_live=True)
    assert node.enforce() == {"put_off": "a go-live is running"}
    assert not node.file.exists()


def test_a_node_that_never_had_its_state_is_left_alone(node, layout):
    shutil.rmtree(layout.state)
    assert "never brought" in node.enforce()["put_off"]
    assert not node.file.exists()


def test_it_is_switched_off_by_the_pillar(node):
    node.wants(minutes=0)
    assert "switched off" in node.enforce()["put_off"]
    assert not node.file.exists()


def test_when_it_is_not_time_yet_it_is_put_off(node):
    assert kinds(node.enforce(when_due=True)) == ["caught_up"]
    node.file.unlink()
    assert node.enforce(when_due=True) == {"put_off": "it is not time yet"}
    assert kinds(node.enforce()) == ["drift"]


def test_it_stays_time_while_the_minion_goes_by_an_old_pillar(node):
    node.wants(minutes=30)
    assert kinds(node.enforce()) == ["caught_up"]
    # Nobody refreshed anything here, as with a minion whose master had no time.
    assert node.enforce(when_due=True) == {"reports": []}
    node.wants()
    assert kinds(node.enforce()) == []
    assert node.enforce(when_due=True) == {"put_off": "it is not time yet"}


def test_the_proxy_does_not_wait_while_a_web_node_is_not_in_its_pool(node):
    node.enforce()
    node.live_pool.write_text("")
    assert node.enforce(when_due=True) == {"reports": []}


def carrier(node, mode):
    """The states that ``wb_node.carry`` applies, each of which makes a file."""
    for name in ("node/prepared", "carrier/served"):
        file = node.file.with_name(name.replace("/", "-"))
        sls = node.file.parent / "states" / f"{name}.sls"
        sls.parent.mkdir(exist_ok=True)
        sls.write_text(
            f"{name} is there:\n  file.managed:\n    - name: {file}\n    - mode: '{mode}'\n"
        )


def test_the_carrier_is_set_up_and_nothing_else(node):
    carrier(node, "0644")
    carry = node.modules()["wb_node.carry"]
    both = ["node/prepared is there", "carrier/served is there"]

    assert carry(test=True) == both
    assert not node.file.with_name("carrier-served").exists()
    assert carry() == both
    assert node.file.with_name("carrier-served").exists() and not node.file.exists()
    assert carry() == carry(test=True) == []


def test_a_carrier_that_can_not_be_set_up_says_what_failed(node):
    carrier(node, "0644")
    node.file.with_name("carrier-served").mkdir()
    with pytest.raises(CommandExecutionError, match=r"carrier/served is there: .*run state\.apply"):
        node.modules()["wb_node.carry"]()


def test_a_node_that_was_never_brought_to_its_state_is_brought_to_it(node, layout):
    node.wants()
    shutil.rmtree(layout.state)
    modules = node.modules()
    settled = lambda: modules["wb_node.observe"]()["settled"]  # noqa: E731
    assert modules["wb_node.settle"](test=True) == ["the file is right"]
    assert not node.file.exists() and not layout.state.exists() and not settled()

    assert modules["wb_node.settle"]() == ["the file is right"]
    assert node.file.read_text() == "right\n" and settled()
    # What changes from now on is drift.
    node.file.write_text("wrong\n")
    (report,) = node.enforce()["reports"]
    assert report["kind"] == drift.DRIFT


def test_a_node_that_is_taken_over_is_left_to_the_takeover(node, layout):
    node.wants()
    carrier(node, "0644")
    shutil.rmtree(layout.state)
    node.modules()["wb_node.carry"](test=True)
    assert not layout.state.exists()
    node.modules()["wb_node.carry"]()
    assert "is being taken over" in node.enforce()["put_off"] and not node.file.exists()

    node.modules()["wb_node.settle"]()
    node.modules()["wb_node.carry"]()
    assert node.enforce() == {"reports": []}


def test_states_that_fail_are_no_state_to_be_brought_to(node, layout):
    node.wants(state="file.nonsense")
    with pytest.raises(CommandExecutionError, match=r"nonsense.*; run salt node state.apply"):
        node.modules()["wb_node.settle"]()
    assert not layout.enforced.exists()
