"""The links of the download tree: by the real loader, in a real tree, and by their state."""

from __future__ import annotations

import json
import os

import pytest
import salt.loader
from salt.exceptions import CommandExecutionError

PRODUCTION = "releases/current-production-release"
DEVELOPMENT = "releases/current-development-release"
SPECIES = "species/*/current-production-release"
NODES = {"node": {"address": "127.0.0.1", "site": "local", "roles": ["staging"]}}
RIGHT = {"production": "WS221", "development": "WS222"}
NOW = {"downloads": RIGHT, "epoch": 3, "going_live": False}


@pytest.fixture
def pillar(pillar):
    """The links of FIELD, and one for each species."""
    links = {PRODUCTION: "{build}", SPECIES: "{build}"}
    return {**pillar, "nodes": NODES, "downloads": {"production": links}}


@pytest.fixture
def downloads(layout):
    """A download tree with WS220 to WS222, its links set by hand."""
    for build in ("WS220", "WS221", "WS222"):
        (layout.downloads / "releases" / build).mkdir(parents=True)
    (layout.downloads / PRODUCTION).symlink_to("WS220")
    (layout.downloads / DEVELOPMENT).symlink_to("WS221")
    return layout.downloads


def targets(tree):
    """Where every link below the tree leads."""
    return {
        str(path.relative_to(tree)): os.readlink(path)
        for path in tree.rglob("*")
        if path.is_symlink()
    }


def test_links_lead_to_a_build_and_nothing_is_left_to_do_the_second_time(modules, downloads):
    told = modules["wb_download.follow"]({"production": "WS221"}, epoch=3)
    assert told == {
        "links": [PRODUCTION],
        "changed": {PRODUCTION: {"old": "WS220", "new": "WS221"}},
        "troubles": [],
    }
    inode = (downloads / PRODUCTION).lstat().st_ino
    again = modules["wb_download.follow"]({"production": "WS221"}, epoch=3)
    assert again == {"links": [PRODUCTION], "changed": {}, "troubles": []}
    assert (downloads / PRODUCTION).lstat().st_ino == inode
    assert targets(downloads) == {PRODUCTION: "WS221", DEVELOPMENT: "WS221"}


def test_a_link_that_is_not_there_yet_is_made(modules, downloads):
    (downloads / PRODUCTION).unlink()
    modules["wb_download.follow"]({"production": "WS221"})
    assert targets(downloads)[PRODUCTION] == "WS221"


def test_an_absolute_link_by_hand_becomes_relative(modules, downloads):
    (downloads / PRODUCTION).unlink()
    (downloads / PRODUCTION).symlink_to(downloads / "releases/WS221")
    modules["wb_download.follow"]({"production": "WS221"})
    assert targets(downloads)[PRODUCTION] == "WS221"


def test_without_a_tree_nothing_happens(modules, layout):
    told = modules["wb_download.follow"]({"production": "WS221", "development": "WS222"})
    assert told == {"links": [], "changed": {}, "troubles": []}
    assert not layout.downloads.exists()


def test_each_folder_of_a_pattern_has_its_link_where_its_target_is(modules, downloads):
    for species, build in (("c_elegans", "WS221"), ("p_pacificus", "WS219")):
        (downloads / "species" / species / build).mkdir(parents=True)
    (downloads / "species/README").write_text("no folder")
    told = modules["wb_download.follow"]({"production": "WS221"})
    assert told["troubles"] == [
        "species/p_pacificus/current-production-release is left as it is: "
        "its target WS221 is not there"
    ]
    assert targets(downloads) == {
        PRODUCTION: "WS221",
        DEVELOPMENT: "WS221",
        "species/c_elegans/current-production-release": "WS221",
    }


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_is_no_link_is_left_and_named_and_the_others_follow(modules, downloads, kind):
    (downloads / "species/c_elegans/WS221").mkdir(parents=True)
    place = downloads / PRODUCTION
    place.unlink()
    _ = place.write_text("mine") if kind == "file" else place.mkdir()
    told = modules["wb_download.follow"]({"production": "WS221"})
    assert told["troubles"] == [f"{PRODUCTION} is left as it is: it is no link; move it away"]
    assert not place.is_symlink() and place.exists()
    assert targets(downloads)["species/c_elegans/current-production-release"] == "WS221"


def test_an_order_of_an_earlier_epoch_moves_nothing(modules, downloads):
    modules["wb_download.follow"]({"production": "WS221"}, epoch=3)
    with pytest.raises(CommandExecutionError, match="of epoch 2, and epoch 3 has begun"):
        modules["wb_download.follow"]({"production": "WS220"}, epoch=2)
    assert targets(downloads)[PRODUCTION] == "WS221"


@pytest.mark.parametrize("builds", [{"production": "../../etc"}, {"live": "WS221"}])
def test_what_is_no_build_and_no_kind_is_refused(modules, downloads, builds):
    before = targets(downloads)
    with pytest.raises(CommandExecutionError):
        modules["wb_download.follow"](builds)
    assert targets(downloads) == before


# The state


@pytest.fixture
def followed(tmp_path, make_opts, pillar):
    """The state ``wb_download.followed``; the master, asked again, says ``now``."""

    def followed(now=NOW, test=False, going_live=False):
        folder = tmp_path / "pillar"
        folder.mkdir(exist_ok=True)
        (folder / "top.sls").write_text("base:\n  '*':\n    - site\n")
        (folder / "site.sls").write_text(json.dumps({"wormbase": {**pillar, "live": now}}))
        opts = {
            **make_opts("node", pillar),
            "test": test,
            "fileserver_backend": ["roots"],
            "pillar_roots": {"base": [str(folder)]},
            "renderer": "jinja|yaml",
        }
        functions = salt.loader.minion_mods(opts)
        states = salt.loader.states(opts, functions, {}, None)
        return states["wb_download.followed"]("links", RIGHT, going_live=going_live, epoch=3)

    return followed


def test_drift_is_put_right_and_reported_link_by_link(followed, downloads):
    result = followed()
    assert result["result"] is True
    assert result["changes"] == {
        PRODUCTION: {"old": "WS220", "new": "WS221"},
        DEVELOPMENT: {"old": "WS221", "new": "WS222"},
    }
    assert targets(downloads) == {PRODUCTION: "WS221", DEVELOPMENT: "WS222"}
    assert followed()["changes"] == {}


def test_a_dry_run_says_what_would_change(followed, downloads):
    before = targets(downloads)
    result = followed(test=True)
    assert result["result"] is None and set(result["changes"]) == {PRODUCTION, DEVELOPMENT}
    assert targets(downloads) == before


@pytest.mark.parametrize(
    "how",
    [
        {"going_live": True},
        {"now": {**NOW, "going_live": True}},
        {"now": {**NOW, "epoch": 4}},
        {"now": {**NOW, "downloads": {**RIGHT, "development": "WS223"}}},
        {"now": {}},
    ],
)
def test_links_are_left_to_a_go_live_and_once_something_else_is_true(followed, downloads, how):
    before = targets(downloads)
    result = followed(**how)
    assert (result["result"], result["changes"]) == (True, {})
    assert "left" in result["comment"]
    assert targets(downloads) == before


def test_links_are_left_once_another_epoch_has_begun(followed, downloads, layout):
    layout.epoch.parent.mkdir(parents=True)
    layout.epoch.write_text("4\n")
    before = targets(downloads)
    result = followed()
    assert (result["result"], result["changes"]) == (False, {})
    assert targets(downloads) == before


def test_a_target_that_is_not_there_is_named_and_is_no_failure(followed, downloads):
    (downloads / "releases/WS222").rmdir()
    result = followed()
    assert result["result"] is True
    assert f"{DEVELOPMENT} is left as it is: its target WS222 is not there" in result["comment"]
    assert targets(downloads) == {PRODUCTION: "WS221", DEVELOPMENT: "WS221"}


def test_something_else_in_a_links_place_fails_the_state_and_the_others_follow(followed, downloads):
    (downloads / PRODUCTION).unlink()
    (downloads / PRODUCTION).mkdir()
    result = followed()
    assert result["result"] is False
    assert f"{PRODUCTION} is left as it is: it is no link; move it away" in result["comment"]
    assert targets(downloads) == {DEVELOPMENT: "WS222"}
