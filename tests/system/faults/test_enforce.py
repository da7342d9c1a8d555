"""Nodes stay as they should be without anybody looking: by their own schedule alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from glance import begun, live, pool
from labclient import Lab
from site_of import Visitors, answers, eventually, links, next_build, refresh_pillar, set_pillar

BEGUN = "/var/lib/wormbase-release/enforce.lock"
ENFORCED = "/var/lib/wormbase-release/enforced.json"


def enforce(lab: Lab, **settings: int | None) -> None:
    """Set ``wormbase:enforce`` in the site's pillar, for the schedules of all minions."""
    set_pillar(lab, "enforce", **settings)
    refresh_pillar(lab)


def settled(lab: Lab, *nodes: str) -> None:
    """Return when these nodes have enforced what has to be now."""
    since = time.time()

    def enforced(node: str) -> bool:
        told = lab.exec(node, "stat", "-c", "%.Y", BEGUN, ENFORCED).stdout.split()
        begun, ended = map(float, told) if len(told) == 2 else (0.0, 0.0)
        # One that was under way already may have had the pillar of before.
        return since < begun < ended

    eventually(f"{nodes} enforce their states", lambda: all(map(enforced, nodes)))


def told(lab: Lab, node: str, kind: str, since: str) -> set[str]:
    """States and datasets that a node has told of since a time, as ids."""
    rows = lab.runner("wb_release.drift", "limit=50", f"node={node}")
    return {
        change.split(": ")[0]
        for row in rows
        if row["kind"] == kind and row["last"] >= since
        for change in row["changes"]
    }


def now() -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())


@pytest.fixture(scope="module", autouse=True)
def every_minute(lab: Lab) -> Iterator[None]:
    """Every node enforces its states each minute."""
    enforce(lab, minutes=1, splay_seconds=1)
    yield
    enforce(lab, minutes=None, splay_seconds=None)


# What is done to a node, and what it has to name: its state.
DRIFT = {
    "wb-web1": {
        "ln -sfn wormbase_WS1 /usr/local/wormbase/acedb/wormbase": "the live links are those of",
        "rm /etc/xinetd.d/acedb": "xinetd knows AceDB",
        "systemctl stop wormbase-starman": "Starman runs",
        "chmod 700 /usr/local/wormbase/databases": "the support databases have their directory",
        "echo '# x' >> /etc/mysql/mariadb.conf.d/90-wormbase.cnf": "MariaDB is configured",
        "systemctl stop wormbase-carrier": "the carrier runs",
    },
    "fe": {
        "rm /var/lib/wormbase-release/proxy/maintenance.html": "the maintenance page is there",
        "echo '# x' >> /etc/nginx/conf.d/wormbase.conf": "nginx passes requests to HAProxy",
    },
    "wb-gb1": {"systemctl stop mariadb": "MariaDB runs"},
}


def test_drift_is_found_put_back_and_told(lab: Lab) -> None:
    settled(lab, *DRIFT)
    since, was = now(), {node: links(lab, node) for node in DRIFT}
    for node, spoilt in DRIFT.items():
        for command in spoilt:
            assert lab.exec(node, "sh", "-c", command).returncode == 0, command
    for node, spoilt in DRIFT.items():

        def named(node: str = node, spoilt: dict[str, str] = spoilt) -> bool:
            ids = told(lab, node, "drift", since)
            return all(any(one.startswith(state) for one in ids) for state in spoilt.values())

        # The live link takes the webapp along, so the webapp may be right by then.
        if node == "wb-web1":
            spoilt.pop("systemctl stop wormbase-starman")
        eventually(f"{node} tells what was done to it", named)
    assert {node: links(lab, node) for node in DRIFT} == was
    for command in ("test -f /etc/xinetd.d/acedb", "systemctl is-active wormbase-starman",
                    "systemctl is-active wormbase-carrier",
                    "! grep x$ /etc/mysql/mariadb.conf.d/90-*",
                    "stat -c %a /usr/local/wormbase/databases | grep 755"):  # fmt: skip
        assert lab.exec("wb-web1", "sh", "-c", command).returncode == 0, command
    assert lab.exec("wb-gb1", "systemctl", "is-active", "mariadb").returncode == 0


def test_bytes_that_rotted_are_fetched_from_a_sibling(lab: Lab) -> None:
    since, build = now(), live(lab).split("-")[0]
    dataset = f"mysql/c_elegans_{build}"
    file = f"/usr/local/mysql/data/c_elegans_{build}/meta.MYD"
    before = lab.exec("wb-gb1", "sha256sum", file).stdout
    spoil = f"printf x | dd of={file} bs=1 seek=3 conv=notrunc"
    assert lab.exec("wb-gb1", "sh", "-c", spoil).returncode == 0
    assert lab.exec("wb-gb1", "sha256sum", file).stdout != before
    verify = ("salt", "--out=json", "--static", "wb-gb1", "wb_dataset.verify", f"[{dataset}]")
    found = json.loads(lab.exec("salt", *verify).stdout)["wb-gb1"][dataset]
    assert (found["faults"], found["error"]) == (1, "") and found["source"] != "wb-dev"
    assert lab.exec("wb-gb1", "sha256sum", file).stdout == before
    eventually("it is told", lambda: dataset in told(lab, "wb-gb1", "rotted", since))


def test_nodes_that_were_away_come_back_without_an_old_answer(lab: Lab) -> None:
    # With the usual quarter of an hour between: nobody comes back by its own schedule here.
    enforce(lab, minutes=None, splay_seconds=None)
    build = next_build(lab)
    lab.do("build", build)
    lab.do("cut", "wb-gb1")
    with ThreadPoolExecutor(1) as beside:
        releasing = beside.submit(lab.orch, "release", {"build": build})
        # One was away from the beginning, and one loses its power while it fetches.
        eventually("nodes fetch", lambda: "push_acedb" in begun(lab))
        lab.do("crash", "wb-web2")
        done = releasing.result()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "left out: wb-gb1, wb-web2" in done.stdout
    assert "wb-web2" not in pool(lab)
    lab.do("heal", "wb-gb1")
    since = now()
    with Visitors(lab) as visitors:
        lab.do("start", "wb-web2")
        eventually("the proxy has taken it in", lambda: "wb-web2" in pool(lab), 120)
        eventually(
            "it answers", lambda: "wb-web2" in {one["node"] for one in answers(lab)}, seconds=30
        )
    assert not visitors.late and not visitors.mixed
    assert not visitors.failed and not visitors.closed
    assert {release.split("-")[0] for release in visitors.seen} == {build}
    eventually("it is told", lambda: told(lab, "wb-web2", "caught_up", since))
    eventually(
        "who was cut off has followed",
        lambda: links(lab, "wb-gb1")["/usr/local/mysql/data/c_elegans"] == f"c_elegans_{build}",
    )
