"""A disk that is nearly full, on the lab: a push purges there, or is refused with the figures.

For these tests the support databases of one node lie on a small file system of its own, so
that nobody else's disk is filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from glance import live
from labclient import Lab
from prometheus_client.parser import text_string_to_metric_families
from site_of import next_build

NODE = "wb-web2"
HOME = "/usr/local/wormbase/databases"
_ASIDE = "/run/databases.aside"


@pytest.fixture(scope="module")
def builds(lab: Lab) -> list[str]:
    """A build that was pushed and marked bad, and the next one, which is staged."""
    bad = next_build(lab)
    lab.do("build", bad)
    pushed = lab.orch("push", {"build": bad})
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    lab.runner("wb_release.bad", f"build={bad}", "reason=half of it is missing")
    good = next_build(lab)
    lab.do("build", good)
    return [bad, good]


def test_a_push_without_room_is_refused_or_purges(lab: Lab, builds: list[str]) -> None:
    bad, good = builds
    was, others = live(lab), databases(lab, "wb-web1")
    size = used(lab, f"{HOME}/{bad}")
    with small_disk(lab, [was.split("-")[0], bad], size):
        # Purging the bad build gives as much as the good one takes, but not the headroom.
        fill(lab, size // 20)
        before = databases(lab, NODE)
        refused = lab.orch("push", {"build": good})
        told = refused.stdout + refused.stderr
        assert refused.returncode != 0 and "Traceback" not in told
        assert f"{NODE}: the disk of support needs " in told and "short of " in told
        assert (databases(lab, NODE), databases(lab, "wb-web1")) == (before, others)

        fill(lab, size // 2)
        shown = lab.orch("push", {"build": good}, test=True)
        assert shown.returncode == 0 and "would be purged to make room" in shown.stdout
        assert databases(lab, NODE) == before

        pushed = lab.orch("push", {"build": good})
        assert pushed.returncode == 0, pushed.stdout + pushed.stderr
        assert good in databases(lab, NODE) and bad not in databases(lab, NODE)
        assert bad in databases(lab, "wb-web1")
        (run,) = lab.runner("wb_release.history", "limit=1")
        assert set(run["steps"]["check_disk_space"]["purged"]) == {NODE}
    assert live(lab) == was


def test_after_a_release_a_bad_build_is_gone_everywhere(lab: Lab, builds: list[str]) -> None:
    bad, good = builds
    done = lab.orch("release", {"build": good})
    assert done.returncode == 0, done.stdout + done.stderr
    assert live(lab).startswith(good)
    for node in lab.serving:
        left = lab.exec(node, "find", "/usr/local", "-maxdepth", "5", "-name", f"*{bad}*").stdout
        # A database that was not rebuilt for the good build is live.
        assert not [path for path in left.split() if not path.startswith("/usr/local/mysql/data/")]
    found = {
        family.name: {sample.labels.get("node") for sample in family.samples}
        for family in text_string_to_metric_families(lab.runner("wb_release.metrics"))
    }
    assert found["wormbase_release_info"] == lab.serving
    assert "wormbase_push_seconds" in found


@contextmanager
def small_disk(lab: Lab, builds: list[str], room: int) -> Iterator[None]:
    """The node's support databases of these builds alone, on a file system of their own with so
    many bytes beside them; afterwards everything is as it was."""
    total = sum(used(lab, f"{HOME}/{build}") for build in builds) + room
    copies = " ".join(f"cp -a {_ASIDE}/{build} {HOME}/;" for build in builds)
    lay = (
        f"mkdir -p {_ASIDE}; mount --bind {HOME} {_ASIDE}; "
        f"mount -t tmpfs -o size={total},mode=755 tmpfs {HOME}; {copies}"
    )
    assert lab.exec(NODE, "sh", "-ec", lay).returncode == 0
    try:
        yield
    finally:
        lab.exec(NODE, "umount", "-l", HOME)
        lab.exec(NODE, "umount", "-l", _ASIDE)


def fill(lab: Lab, left: int) -> None:
    """Leave so many bytes on the small file system."""
    script = (
        f"rm -f {HOME}/fill; free=$(df --output=avail -B1 {HOME} | tail -1); "
        f"fallocate -l $((free - {left})) {HOME}/fill"
    )
    assert lab.exec(NODE, "sh", "-ec", script).returncode == 0


def databases(lab: Lab, node: str) -> set[str]:
    """The builds whose support databases lie on a node."""
    return {name for name in lab.exec(node, "ls", HOME).stdout.split() if name.startswith("WS")}


def used(lab: Lab, path: str) -> int:
    """Bytes that a directory of the node takes on a disk."""
    return int(lab.exec(NODE, "du", "-s", "--block-size=1", path).stdout.split()[0])
