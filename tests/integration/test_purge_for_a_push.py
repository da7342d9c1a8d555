"""A push onto a disk that is nearly full, by the real command: it purges, or is refused."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import staged
from prometheus_client.parser import text_string_to_metric_families
from wbcore.datasets import SUPPORT
from wbsite import REMOTE, STAGING, WEB, comments, sentences

SIZE = 800 << 10


@pytest.fixture
def full(site):
    """The site with WS221 on its nodes and marked bad, WS222 staged, and the support databases
    of the remote node on a disk of 800 KiB: the second build has no room beside the first."""
    place = site.layouts[REMOTE].kind(SUPPORT)
    place.mkdir(parents=True)
    options = ("-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs")
    subprocess.run(["mount", *options, place], check=True)
    staged.build(site.layouts[STAGING], "WS221")
    pushed = site.orch("push", "{build: WS221}")
    assert pushed.returncode == 0, pushed
    marked = site.run("wb_release.bad", "build=WS221", "reason=half of it is missing")
    assert marked.returncode == 0, marked
    staged.build(site.layouts[STAGING], "WS222")
    yield site
    subprocess.run(["umount", place], check=True)


def fill(place: Path, left: int) -> Path:
    """Leave so many bytes on a disk."""
    about = os.statvfs(place)
    (place / "fill").write_bytes(b"x" * (about.f_bavail * about.f_frsize - left))
    return place / "fill"


def builds_on(site, node: str) -> set[str]:
    return {path.name for path in site.layouts[node].kind(SUPPORT).glob("WS*")}


def test_a_push_purges_a_bad_build_where_room_is_lacking_and_there_alone(full):
    before = full.snapshot()
    shown = full.orch("push", "{build: WS222}", "test=True")
    assert shown.returncode == 0, shown
    (states,) = shown.data["data"].values()
    would = [state["changes"] for state in states.values() if state["name"].startswith("1 check")]
    assert would == [{REMOTE: {"WS221": "would be purged to make room, 401.2 kB"}}]
    assert full.snapshot() == before

    pushed = full.orch("push", "{build: WS222}")
    assert pushed.returncode == 0, pushed
    assert builds_on(full, REMOTE) == {"WS222"}
    assert builds_on(full, WEB) == {"WS221", "WS222"}
    assert staged.contents(full.layouts[REMOTE], "WS222") == staged.contents(
        full.layouts[STAGING], "WS222"
    )
    steps = {step["step"]: step["figures"] for step in full.ledger.steps(_newest(full)["id"])}
    assert steps["check_disk_space"]["purged"] == {REMOTE: 401_200}
    assert comments(pushed)["1 check disk space on local and remote nodes"] == "Done."


def test_a_push_for_which_a_purge_would_not_do_is_refused_with_the_figures(full):
    fill(full.layouts[REMOTE].kind(SUPPORT), 8192)
    refused = full.orch("push", "{build: WS222}")
    assert refused.returncode != 0
    # 401.2 kB and a twentieth of the disk, less what is free, less WS221.
    assert (
        "canopus: the disk of support needs 442.2 kB for WS222 and the headroom, has 8.2 kB, "
        "a purge could free 401.2 kB: short of 32.8 kB; make room there, or see "
        "wormbase:retention, and run the same command again"
    ) in sentences(refused)
    assert builds_on(full, REMOTE) == {"WS221"}
    assert builds_on(full, WEB) == {"WS221"}


def test_the_metrics_of_a_push_are_what_prometheus_reads(full):
    told = full.run("wb_release.metrics")
    assert told.returncode == 0, told
    found = {
        family.name: {tuple(sample.labels.values()): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(told.stdout)
    }
    assert found["wormbase_runs"] == {("push", "done"): 1}
    sites = found["wormbase_push_site_bytes"]
    assert set(sites) == {("local",), ("remote",)}
    assert all(count > staged.BIG for count in sites.values())
    # Nothing is live, so nobody serves it and it has no age.
    assert not set(found) & {"wormbase_release_info", "wormbase_release_age_seconds"}


def _newest(site):
    return site.ledger.runs(1)[0]
