"""Live links are switched by rename, and only to what is verified."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from salt.exceptions import CommandExecutionError
from wbcore.build.manifest import Contents
from wbcore.datasets import Dataset
from wbcore.settings import Settings
from wbnode.dataset_store import DatasetStore


@pytest.fixture
def hold(layout):
    """Makes an empty verified dataset."""

    def hold(dataset: str) -> None:
        parsed = Dataset.parse(dataset)
        layout.dataset(parsed).mkdir(parents=True)
        DatasetStore(layout, Settings()).mark(parsed, Contents(), "WS221")

    return hold


@pytest.mark.parametrize("torn", [b"", b'{"run": "2026'])
def test_a_journal_that_the_power_cut_short_is_of_a_switch_that_began(modules, layout, torn):
    assert modules["wb_live.unfinished"]() == {}
    layout.journal.parent.mkdir(parents=True, exist_ok=True)
    layout.journal.write_bytes(torn)
    assert modules["wb_live.unfinished"]() == {"run": "unknown"}


def test_read_nothing_there(modules):
    assert modules["wb_link.read"]() == {}


def test_read_sees_links_of_the_old_scripts(modules, layout):
    home = layout.kind("mysql")
    home.mkdir(parents=True)
    (home / "c_elegans").symlink_to(home / "c_elegans_WS220")
    (home / "c_briggsae").symlink_to("/elsewhere/c_briggsae_WS220")
    (home / "mysql").mkdir()
    assert modules["wb_link.read"]() == {
        "mysql/c_elegans": "c_elegans_WS220",
        "mysql/c_briggsae": "/elsewhere/c_briggsae_WS220",
    }


def test_switch_tells_what_it_changed_and_nothing_the_second_time(modules, layout, hold):
    hold("acedb/wormbase_WS220")
    hold("acedb/wormbase_WS221")
    hold("webapp/WS221-2010.12.24-0.02-1350")
    assert modules["wb_link.switch"]({"acedb": "wormbase_WS220"}) == {
        "acedb": {"old": "", "new": "wormbase_WS220"}
    }
    links = {"acedb": "wormbase_WS221", "production": "WS221-2010.12.24-0.02-1350"}
    assert modules["wb_link.switch"](links) == {
        "acedb": {"old": "wormbase_WS220", "new": "wormbase_WS221"},
        "production": {"old": "", "new": "WS221-2010.12.24-0.02-1350"},
    }
    assert os.readlink(layout.link("acedb")) == "wormbase_WS221"
    assert modules["wb_link.switch"](links) == {}
    assert modules["wb_link.read"]() == links


def test_switch_checks_every_target_before_it_changes_one(modules, layout, hold):
    hold("acedb/wormbase_WS221")
    layout.dataset(Dataset.parse("mysql/c_elegans_WS221")).mkdir(parents=True)
    links = {"acedb": "wormbase_WS221", "mysql/c_elegans": "c_elegans_WS221"}
    with pytest.raises(CommandExecutionError, match="mysql/c_elegans_WS221, which is not here"):
        modules["wb_link.switch"](links)
    assert modules["wb_link.read"]() == {}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("acedb", "../wormbase_WS221"),
        ("mysql/../c_elegans", "c_elegans_WS221"),
        ("mysql/c_elegans", "c_briggsae_WS221"),
        ("mysql/c_elegans", "c_elegans_gmap_WS221"),
        ("staging", "wormbase_WS221"),
        ("production", "WS221"),
    ],
)
def test_switch_refuses_names_that_lead_elsewhere(modules, name, target):
    with pytest.raises(CommandExecutionError):
        modules["wb_link.switch"]({name: target})


def test_switch_does_not_count_a_marker_of_another_directory(modules, layout, hold):
    hold("acedb/wormbase_WS221")
    place = layout.dataset(Dataset.parse("acedb/wormbase_WS221"))
    place.rename(place.with_name("aside"))
    place.mkdir()
    with pytest.raises(CommandExecutionError, match="not here and verified"):
        modules["wb_link.switch"]({"acedb": "wormbase_WS221"})


def test_switch_refuses_a_directory_where_the_link_belongs(modules, layout, hold):
    hold("webapp/WS221-2010.12.24-0.02-1350")
    layout.production.mkdir()
    with pytest.raises(CommandExecutionError, match="no link but a directory"):
        modules["wb_link.switch"]({"production": "WS221-2010.12.24-0.02-1350"})


READER = """
import os, sys
link, missing, seen = sys.argv[1], 0, set()
print("reading", flush=True)
while not os.path.exists(link + ".done"):
    try:
        seen.add(os.readlink(link))
        os.stat(link)
    except FileNotFoundError:
        missing += 1
print(missing, len(seen))
"""


def test_switch_200_times_under_a_reader_that_never_finds_it_missing(modules, layout, hold):
    hold("acedb/wormbase_WS220")
    hold("acedb/wormbase_WS221")
    modules["wb_link.switch"]({"acedb": "wormbase_WS220"})
    link = layout.link("acedb")
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(link)], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout.readline() == "reading\n"
        for turn in range(200):
            modules["wb_link.switch"]({"acedb": f"wormbase_WS{221 - turn % 2}"})
        link.with_name("wormbase.done").touch()
        assert reader.stdout.read() == "0 2\n"
