"""Our states of datasets, links and pools: what they say, and what they leave alone."""

import json

import pytest
import salt.loader

RELEASE = "WS221-2010.12.24-0.02-1350"
LINKS = {"mysql/c_elegans": "c_elegans_WS221"}
NODES = {"node": {"address": "127.0.0.1", "site": "local", "roles": ["mysql"]}}


@pytest.fixture
def states(tmp_path, make_opts):
    """State functions of the node ``node``; the master, asked again, says ``live``."""

    def states(test=False, live=None):
        pillar = {"nodes": NODES}
        folder = tmp_path / "pillar"
        folder.mkdir(exist_ok=True)
        (folder / "top.sls").write_text("base:\n  '*':\n    - site\n")
        (folder / "site.sls").write_text(json.dumps({"wormbase": {**pillar, "live": live or {}}}))
        opts = {
            **make_opts("node", pillar),
            "test": test,
            "fileserver_backend": ["roots"],
            "pillar_roots": {"base": [str(folder)]},
            "renderer": "jinja|yaml",
        }
        functions = salt.loader.minion_mods(opts)
        # No systemd need run on the machine of the tests; tests/system asks the real one.
        stopped = {"running": False, "enabled": False, "current": True}
        functions["wb_service.state"] = lambda name: stopped
        functions.pack["__salt__"] = functions
        return salt.loader.states(opts, functions, {}, None)

    return states


@pytest.fixture
def linked(layout):
    """The live link of c_elegans on WS220, and no directory of WS221."""
    data = layout.kind("mysql")
    (data / "c_elegans_WS220").mkdir(parents=True)
    (data / "c_elegans").symlink_to("c_elegans_WS220")
    return data / "c_elegans"


@pytest.fixture
def at_three(layout):
    """The node was told epoch 3."""
    layout.epoch.parent.mkdir(parents=True, exist_ok=True)
    layout.epoch.write_text("3\n")


def switched(states, links=None, going_live=False, epoch=3, **how):
    function = states(**how)["wb_link.switched"]
    given = {"release": RELEASE, "links": links or LINKS, "epoch": epoch}
    return function("links", going_live=going_live, **given)


@pytest.mark.parametrize(("epoch", "now"), [(3, 3), (4, 4), (2, 3)])
def test_a_ledger_that_has_reached_the_epoch_of_the_node_is_current(states, at_three, epoch, now):
    result = states(live={"release": RELEASE, "epoch": now})["wb_live.current"]("ledger", epoch)
    assert (result["result"], result["changes"]) == (True, {})


def test_a_ledger_that_ends_before_the_epoch_of_the_node_is_an_old_copy(states, at_three):
    result = states(live={"release": RELEASE, "epoch": 2})["wb_live.current"]("ledger", 2)
    assert (result["result"], result["changes"]) == (False, {})
    assert "it ends at epoch 2, and this node is at 3" in result["comment"]
    assert "recover_ledger" in result["comment"]


def test_links_are_left_once_another_epoch_has_begun(states, linked, at_three):
    live = {"release": RELEASE, "links": LINKS, "going_live": False, "epoch": 3}
    result = switched(states, epoch=2, live=live)
    assert (result["result"], result["changes"]) == (True, {})
    assert linked.readlink().name == "c_elegans_WS220"


def test_links_are_left_when_an_epoch_begins_after_the_master_was_asked(states, linked, at_three):
    live = {"release": RELEASE, "links": LINKS, "going_live": False, "epoch": 2}
    result = switched(states, epoch=2, live=live)
    assert (result["result"], result["changes"]) == (False, {})
    assert "epoch 3 has begun; nothing was done" in result["comment"]
    assert linked.readlink().name == "c_elegans_WS220"


def test_links_that_are_right_are_left(states, linked):
    result = switched(states, links={"mysql/c_elegans": "c_elegans_WS220"})
    assert (result["result"], result["changes"]) == (True, {})


def test_links_would_be_switched(states, linked):
    result = switched(states, test=True)
    assert result["result"] is None
    assert result["changes"] == {
        "mysql/c_elegans": {"old": "c_elegans_WS220", "new": "c_elegans_WS221"}
    }
    assert linked.readlink().name == "c_elegans_WS220"


def test_links_are_left_to_a_go_live(states, linked):
    result = switched(states, going_live=True)
    assert (result["result"], result["changes"]) == (True, {})
    assert "left to it" in result["comment"]


@pytest.mark.parametrize("live", [None, {"release": "WS222-2011.01.24-0.02-1360"}])
def test_links_are_left_when_the_master_says_otherwise_by_now(states, linked, live):
    result = switched(states, live=live)
    assert (result["result"], result["changes"]) == (True, {})
    assert linked.readlink().name == "c_elegans_WS220"


def test_links_never_point_to_what_is_missing(states, linked):
    live = {"release": RELEASE, "links": LINKS, "going_live": False, "epoch": 3}
    result = switched(states, live=live)
    assert result["result"] is False, result
    assert "c_elegans_WS221" in result["comment"]
    assert linked.readlink().name == "c_elegans_WS220"


@pytest.mark.parametrize("live", [None, {"release": RELEASE, "going_live": True}])
def test_a_webapp_that_a_go_live_has_stopped_meanwhile_is_left_to_it(states, live):
    running = states(live=live)["wb_service.running"]
    result = running("no-such-service", release=RELEASE, going_live=False)
    assert (result["result"], result["changes"]) == (True, {})
    assert "left to it" in result["comment"]


def test_datasets_that_are_missing_are_told(states, layout):
    given = {
        "manifests": {"WS221": "5" * 64},
        "datasets": ["mysql/c_elegans_WS221"],
        "sources": [{"node": "wb-dev", "address": "127.0.0.1"}],
    }
    result = states(test=True)["wb_dataset.present"]("datasets", **given)
    assert result["result"] is None
    assert result["changes"] == {"mysql/c_elegans_WS221": {"old": None, "new": "verified"}}
    result = states()["wb_dataset.present"]("datasets", **given)
    assert result["result"] is False
    assert result["changes"] == {}
    assert not (layout.kind("mysql") / "c_elegans_WS221").exists()


def test_pools_get_their_files_once(states, layout):
    prepared = states()["wb_proxy.prepared"]
    assert states(test=True)["wb_proxy.prepared"]("pools")["result"] is None
    assert not layout.proxy.exists()
    assert prepared("pools")["changes"] == {
        "missing": {"old": ["pool_a.cfg", "pool_b.cfg", "site.map"], "new": []}
    }
    assert prepared("pools")["changes"] == {}
