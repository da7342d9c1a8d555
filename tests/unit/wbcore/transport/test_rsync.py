"""What rsync is told, what it answers, and what of a release stays where it is."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wbcore.datasets import Dataset
from wbcore.disk.space import Disk, Need, shortfalls
from wbcore.errors import BadRequest
from wbcore.model import links
from wbcore.settings import Node, Settings
from wbcore.transport import excludes, ownership, rsync
from wbcore.transport.basis import basis_for
from wbcore.transport.meter import Meter
from wbcore.transport.rsync import Source

SOURCE = Source("wb-dev", "10.0.0.2")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "wb-dev",
        {},
        {"node": "wb-dev"},
        {"node": "wb-dev", "address": "-oProxyCommand=x"},
        {"node": "wb-dev", "address": "a b"},
        {"node": "wb-dev", "address": "a/b"},
        {"node": "wb-dev", "address": "fe80::1"},
        {"node": "../wb", "address": "a"},
        {"node": "wb-dev", "address": ""},
    ],
)
def test_source_refuses_what_ssh_could_misread(value):
    with pytest.raises(BadRequest, match="is not a source"):
        Source.parse(value)


@pytest.mark.parametrize("address", ["10.0.0.2", "wb-dev.example.org", "localhost"])
def test_source(address):
    assert Source.parse({"node": "wb-dev", "address": address}) == Source("wb-dev", address)


def test_ssh_arguments_are_words_without_blanks():
    words = rsync.ssh_arguments(Settings(), Path("/keys"), Path("/run/x/wb-dev"))
    assert words[0] == "ssh"
    assert not [word for word in words if " " in word]


def test_fetch_arguments_with_a_basis():
    argv = rsync.fetch_arguments(
        SOURCE, ["ssh", "-p", "1"], "mysql", Path("/in"), [Path("/b1"), Path("/b2")]
    )
    assert argv[-2:] == ["10.0.0.2::mysql/", "/in/"]
    assert "--rsh=ssh -p 1" in argv
    assert [word for word in argv if word.startswith("--copy-dest")] == [
        "--copy-dest=/b1",
        "--copy-dest=/b2",
    ]
    assert {"-yy", "--no-whole-file", "--from0"} <= set(argv)
    assert not {"--links", "--recursive", "--delete", "--ignore-times"} & set(argv)


def test_fetch_arguments_anew_use_nothing_that_is_here():
    argv = rsync.fetch_arguments(SOURCE, ["ssh"], "mysql", Path("/in"), way=rsync.ANEW)
    assert {"--ignore-times", "--whole-file"} <= set(argv)
    assert not [word for word in argv if word.startswith("--copy-dest") or word == "-yy"]


@pytest.mark.parametrize(
    ("node", "source", "level"),
    [
        ("canopus", "wb-dev", rsync.FAR),
        ("wb-web1", "wb-dev", rsync.NEAR),
        ("unknown", "wb-dev", rsync.NEAR),
    ],
)
def test_compression_is_harder_between_sites(node, source, level):
    sites = {"wb-dev": "local", "wb-web1": "local", "canopus": "remote"}
    nodes = {name: Node("10.0.0.1", site, ()) for name, site in sites.items()}
    found = rsync.compression(Settings(nodes=nodes), node, Source(source, "10.0.0.2"))
    assert found == level
    argv = rsync.fetch_arguments(SOURCE, ["ssh"], "mysql", Path("/in"), level=found)
    assert f"--compress-level={level}" in argv


@given(st.lists(st.binary(min_size=1).filter(lambda name: 0 not in name), max_size=5))
def test_file_list_can_be_taken_apart_again(names):
    *lines, end = rsync.file_list("WS221/gene", map(os.fsdecode, names)).split(b"\0")
    assert end == b""
    assert lines == [b"WS221/gene/./" + name for name in names]


def test_file_list_of_the_module_itself():
    assert rsync.file_list("", ["WS221.json"]) == b"WS221.json\0"


def test_received_and_progress_of_rsync_itself(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from/big").write_bytes(os.urandom(3_000_000))
    done = subprocess.run(
        [
            "rsync",
            "-r",
            "--no-human-readable",
            "--info=progress2",
            "--stats",
            "--whole-file",
            f"{tmp_path}/from/",
            f"{tmp_path}/to/",
        ],
        capture_output=True,
        check=True,
        text=True,
    )
    told = [rsync.progress(line) for line in done.stdout.replace("\r", "\n").splitlines()]
    assert max(count for count in told if count is not None) == 3_000_000
    assert rsync.received(done.stdout) > 0


@pytest.mark.parametrize(
    "line", ["", "Number of files: 2", "Total bytes sent: 12", "      1,234  10%", "12 files"]
)
def test_progress_of_any_other_line(line):
    assert rsync.progress(line) is None


def test_received_of_nothing():
    assert rsync.received("rsync error") == 0


def test_disk_full():
    assert rsync.disk_full('write failed on "/x": No space left on device (28)')
    assert not rsync.disk_full("connection unexpectedly closed")


@pytest.mark.parametrize(
    ("wanted", "here", "basis"),
    [
        ("mysql/c_elegans_WS221", ["mysql/c_elegans_WS99", "mysql/c_elegans_WS220"], 1),
        ("mysql/c_elegans_WS221", ["mysql/c_elegans_gmap_WS220", "acedb/wormbase_WS220"], None),
        ("mysql/c_elegans_WS221", ["mysql/c_elegans_WS221"], None),
        ("mysql/c_elegans_WS220", ["mysql/c_elegans_WS221"], 0),
        ("support/WS221/gene", ["support/WS220/gene", "support/WS220/blast"], 0),
        ("acedb/wormbase_WS221", ["acedb/wormbase_WS219", "acedb/wormbase_WS220"], 1),
        (
            "webapp/WS221-2010.12.24-0.02-1351",
            ["webapp/WS220-2010.12.30-0.02-1400", "webapp/WS221-2010.12.20-0.02-1350"],
            1,
        ),
    ],
)
def test_basis_is_the_newest_of_the_same_thing(wanted, here, basis):
    candidates = [Dataset.parse(dataset) for dataset in here]
    found = basis_for(Dataset.parse(wanted), candidates)
    assert found == (None if basis is None else candidates[basis])


paths = st.lists(
    st.sampled_from(["old", "a", "x.bak", "database", "log.wrm", "readlocks", "logs", "b.TMD"]),
    min_size=1,
    max_size=3,
)
rules = st.lists(
    st.sampled_from(
        ["*bak*", "old", "*TMD*", "database/log.wrm", "database/readlocks", "/logs", "a/old", "?"]
    ),
    max_size=3,
)


@given(st.lists(paths, min_size=1, max_size=6), rules)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_excluded_is_what_rsync_leaves_out(tmp_path_factory, tree, parts):
    root = tmp_path_factory.mktemp("excluded")
    for path in tree:
        folder = root.joinpath(*path[:-1])
        if not any(part.is_file() for part in (folder, *folder.parents)):
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / path[-1]).exists():
                (folder / path[-1]).touch()
    listed = subprocess.run(
        [
            "rsync",
            "-r",
            "--dry-run",
            "--out-format=%n",
            *(f"--exclude={part}" for part in parts),
            f"{root}/",
            "/nowhere/",
        ],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.splitlines()
    assert sorted(set(line.rstrip("/") for line in listed) - {"."}) == _kept(root, "", parts)


def _kept(root, below, parts):
    kept = []
    for entry in (root / below).iterdir():
        path = str(entry.relative_to(root))
        if not excludes.excluded(path, parts):
            kept += [path, *(_kept(root, path, parts) if entry.is_dir() else [])]
    return sorted(kept)


@pytest.mark.parametrize(
    ("kind", "path", "out"),
    [
        ("acedb", "database/readlocks", True),
        ("acedb", "database/log.wrm", True),
        ("acedb", "database/block1.wrm", False),
        ("mysql", "features.TMD", True),
        ("mysql", "features.MYD", False),
        ("support", "web_data", True),
        ("support", "gene.bak.gz", True),
        ("webapp", "logs", True),
        ("webapp", "extlib/logs", False),
    ],
)
def test_left_out(kind, path, out):
    assert excludes.excluded(path, excludes.left_out(Settings(), kind)) == out


@pytest.mark.parametrize(
    ("kind", "path", "sealed", "mode"),
    [
        ("acedb", "database/block12.wrm", 0o600, 0o666),
        ("acedb", "wspec/models.wrm", 0o600, 0o664),
        ("mysql", "features.MYD", 0o664, 0o444),
        ("mysql", "features.MYD", 0o600, 0o440),
        ("support", "gene/list", 0o666, 0o644),
        ("webapp", "bin/start", 0o700, 0o744),
        ("webapp", "bin/start", 0o4777, 0o755),
    ],
)
def test_file_mode(kind, path, sealed, mode):
    assert ownership.file_mode(kind, path, sealed) == mode


def test_ownership_by_kind():
    by_kind = {kind: ownership.ownership(Settings(), kind) for kind in ("acedb", "mysql", "webapp")}
    assert (by_kind["acedb"].group, by_kind["acedb"].folder_mode) == ("acedb", 0o2775)
    assert (by_kind["mysql"].user, by_kind["mysql"].folder_mode) == ("mysql", 0o2775)
    assert (by_kind["webapp"].user, by_kind["webapp"].folder_mode) == ("root", 0o755)


LIVE = {
    "acedb": "wormbase_WS221",
    "production": "WS220-2010.12.24-0.02-1350",
    "mysql/c_elegans": "c_elegans_WS219",
    "mysql/odd": "/elsewhere",
}


@pytest.mark.parametrize(
    ("dataset", "link"),
    [
        ("acedb/wormbase_WS221", "acedb"),
        ("acedb/wormbase_WS220", ""),
        ("support/WS221/gene", "acedb"),
        ("support/WS220/gene", "production"),
        ("support/WS219/gene", ""),
        ("mysql/c_elegans_WS219", "mysql/c_elegans"),
        ("mysql/c_elegans_WS221", ""),
        ("webapp/WS220-2010.12.24-0.02-1350", "production"),
    ],
)
def test_why_live(dataset, link):
    assert links.why_live(Dataset.parse(dataset), LIVE) == link


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("acedb", "c_elegans_WS221"),
        ("acedb", "wormbase_WS"),
        ("acedb", "../wormbase_WS221"),
        ("production", "WS221"),
        ("mysql/c_elegans", "c_elegans_gmap_WS221"),
        ("mysql/..", "c_elegans_WS221"),
        ("mysql/", "_WS221"),
        ("support", "WS221"),
    ],
)
def test_dataset_of_refuses_a_link_that_leads_elsewhere(name, target):
    with pytest.raises(BadRequest):
        links.dataset_of(name, target)


DISK = Disk(bytes_free=100, bytes_total=1000, inodes_free=50, inodes_total=100)


@pytest.mark.parametrize(
    ("disk", "need", "short"),
    [
        (DISK, Need(50, 45), None),
        (DISK, Need(51, 45), Need(1, 0)),
        (DISK, Need(50, 46), Need(0, 1)),
        (Disk(0, 1000, 0, 100), Need(), None),
        (Disk(100, 1000, None, None), Need(50, 10**9), None),
    ],
)
def test_shortfalls_with_five_percent_kept_free(disk, need, short):
    assert shortfalls({"8:1": disk}, {"8:1": need}, 5) == ({"8:1": short} if short else {})


def test_meter_tells_once_a_second():
    now, told = [0.0], []
    meter = Meter(100, lambda *figures: told.append(figures), lambda: now[0])
    for second in (0.2, 0.9, 1.0, 1.5, 2.5):
        now[0] = second
        meter.add("a", 10)
    meter.at("b", 100)
    assert told == [("a", 30, 100, 30.0), ("a", 50, 100, 20.0)]
    assert meter.done == 100
