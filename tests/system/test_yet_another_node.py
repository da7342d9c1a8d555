"""A node that is new to the site; the last of these tests, since the lab stays larger."""

from __future__ import annotations

from glance import live, pool
from labclient import Lab
from site_of import answers, eventually, next_build

from lab import project
from lab.cluster import Cluster
from lab.place import Place


def test_a_new_web_node_joins_by_its_states_alone(lab: Lab) -> None:
    cluster = Cluster(Place(lab.checkout))
    cluster.add("wb-web3", "wb-web1")
    project.describe(cluster)
    applied = lab.exec("salt", "salt", "--timeout=60", "wb-web3", "state.apply")
    assert applied.returncode == 0, applied.stdout[-3000:]
    eventually("the proxy has taken it in", lambda: "wb-web3" in pool(lab), 120)
    asked = {one["node"]: one for one in answers(lab, 32)}
    assert asked["wb-web3"]["release"] == live(lab)


def test_the_next_release_takes_the_new_node_along(lab: Lab) -> None:
    build = next_build(lab)
    lab.do("build", build)
    done = lab.orch("release", {"build": build})
    assert done.returncode == 0, done.stdout + done.stderr
    assert {one["release"] for one in answers(lab, 32)} == {live(lab)}
    assert live(lab).startswith(f"{build}-") and "wb-web3" in pool(lab)
