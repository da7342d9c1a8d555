"""Room on disks, measured on a disk that is really full."""

from __future__ import annotations

import subprocess

import pytest
from salt.exceptions import CommandExecutionError
from wbcore.datasets import Dataset
from wbcore.manifest import Contents
from wbcore.settings import Settings
from wbplace import Places

MB = 1_000_000
MYSQL = "mysql/c_elegans_WS221"


@pytest.fixture(params=[["mkfs.ext4", "-q", "-N", "64"], ["mkfs.xfs", "-q"]], ids=["ext4", "xfs"])
def disk(request, tmp_path, layout):
    """A disk of its own, of 320 MB, below the MySQL databases of the scratch node."""
    image, place = tmp_path / "image", layout.kind("mysql")
    place.mkdir(parents=True)
    with image.open("wb") as stream:
        stream.truncate(320 << 20)
    subprocess.run([*request.param, image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    yield request.param[0]
    subprocess.run(["umount", place], check=True)


def test_free_before_anything_is_there(modules):
    free = modules["wb_disk.free"]()
    assert sorted(free) == ["acedb", "mysql", "support", "webapp"]
    assert len({facts["device"] for facts in free.values()}) == 1


def test_free_tells_devices_apart(modules, disk):
    free = modules["wb_disk.free"]()
    assert free["mysql"]["device"] != free["acedb"]["device"]
    assert 200 * MB < free["mysql"]["bytes_free"] < 320 << 20
    assert free["mysql"]["inodes_free"] > 0


def test_check_on_a_disk_with_room(modules, disk):
    answer = modules["wb_disk.check"]({MYSQL: {"files": 3, "bytes": 100 * MB}})
    assert (answer["ok"], answer["need"], answer["problems"]) == (True, 100 * MB, [])


def test_check_keeps_headroom(modules, disk):
    free = modules["wb_disk.free"]()["mysql"]["bytes_free"]
    answer = modules["wb_disk.check"]({MYSQL: {"files": 3, "bytes": free - MB}})
    assert not answer["ok"]
    assert answer["problems"][0].startswith("the disk of mysql lacks")


def test_check_on_a_full_disk_says_what_could_be_freed(modules, disk, layout):
    for build in (219, 220):
        old = Dataset.parse(f"mysql/c_elegans_WS{build}")
        layout.dataset(old).mkdir()
        (layout.dataset(old) / "features.MYD").write_bytes(b"x" * 50 * MB)
        Places(layout, Settings()).mark(old, Contents(), f"WS{build}")
        modules["wb_link.switch"]({"mysql/c_elegans": old.name})
    layout.marker(Dataset.parse("mysql/c_elegans_WS219")).unlink()
    with pytest.raises(OSError, match="No space"), (layout.kind("mysql") / "fill").open("wb") as f:
        while True:
            f.write(b"x" * MB)
    answer = modules["wb_disk.check"]({MYSQL: {"files": 3, "bytes": 40 * MB}})
    assert not answer["ok"]
    assert answer["problems"][0].startswith("the disk of mysql lacks")
    assert answer["purgeable"] == {"mysql/c_elegans_WS219": 50 * MB}


def test_check_counts_inodes(modules, disk):
    answer = modules["wb_disk.check"]({MYSQL: {"files": 1_000_000, "bytes": MB}})
    assert not answer["ok"]
    assert "inodes" in answer["problems"][0]


def test_check_does_not_count_what_is_here(modules, disk, layout):
    free = modules["wb_disk.free"]()["mysql"]["bytes_free"]
    sizes = {MYSQL: {"files": 3, "bytes": 2 * free}}
    assert not modules["wb_disk.check"](sizes)["ok"]
    layout.dataset(Dataset.parse(MYSQL)).mkdir()
    Places(layout, Settings()).mark(Dataset.parse(MYSQL), Contents(), "WS221")
    assert modules["wb_disk.check"](sizes)["ok"]


def test_check_takes_off_what_was_fetched_already(modules, disk, layout):
    before = modules["wb_disk.check"]({MYSQL: {"files": 3, "bytes": 100 * MB}})
    begun = layout.incoming(Dataset.parse(MYSQL))
    begun.mkdir(parents=True)
    (begun / "features.MYD").write_bytes(b"x" * 60 * MB)
    after = modules["wb_disk.check"]({MYSQL: {"files": 3, "bytes": 100 * MB}})
    assert before["need"] == 100 * MB
    assert 39 * MB < after["need"] < 41 * MB


def test_check_sums_what_shares_a_device(modules):
    answer = modules["wb_disk.check"](
        {
            "acedb/wormbase_WS221": {"files": 1, "bytes": 10},
            "support/WS221/gene": {"files": 1, "bytes": 20},
        }
    )
    free = modules["wb_disk.free"]()["acedb"]["bytes_free"]
    assert answer["need"] == 30
    assert answer["need_inodes"] == 4
    assert abs(answer["free"] - free) < 100 * MB


def test_check_refuses_what_is_no_dataset(modules):
    with pytest.raises(CommandExecutionError, match="is not a dataset"):
        modules["wb_disk.check"]({"mysql/../x": {"files": 1, "bytes": 1}})


@pytest.fixture
def full_node(site):
    """The disk of the node's MySQL databases has 320 MB, and 20 MB of them are left."""
    place, image = site.layout("node").kind("mysql"), site.root / "image"
    place.mkdir(parents=True)
    with image.open("wb") as stream:
        stream.truncate(320 << 20)
    subprocess.run(["mkfs.xfs", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, place], check=True)
    free = site.modules["node"]["wb_disk.free"]()["mysql"]["bytes_free"]
    subprocess.run(["fallocate", "-l", str(free - 20 * MB), place / "fill"], check=True)
    yield site
    subprocess.run(["umount", place], check=True)


def test_pull_onto_a_full_disk_says_so_and_leaves_the_dataset_absent(full_node, stage):
    dev, node = full_node.layout("wb-dev"), full_node.layout("node")
    stage(dev, "WS221")
    (dev.kind("mysql") / "c_elegans_WS221/features.MYD").write_bytes(b"x" * 60 * MB)
    answer = full_node.modules["wb-dev"]["wb_build.seal"]("WS221")
    with pytest.raises(CommandExecutionError, match=r"the disk of .* is full; purge an older"):
        full_node.modules["node"]["wb_dataset.pull"](
            "WS221", answer["digest"], [MYSQL], full_node.sources("wb-dev")
        )
    assert not node.dataset(Dataset.parse(MYSQL)).exists()
