"""wbcore.model.desired: what the states of a node enforce, for ever."""

from dataclasses import replace

import pytest
from cluster import field_world, live_world, request
from wbcore.model.desired import of_node
from wbcore.model.ledger_facts import Known
from wbcore.names import Build


def test_of_node_before_the_first_release_is_empty():
    world = field_world("WS220")

    assert of_node(world.settings, Known(), "wb-web1") == {}


def test_of_node_while_the_first_release_goes_live_says_so():
    world = field_world("WS220")
    world.interrupt(world.plan(request("release", "WS220")), flipped=1)

    assert of_node(world.settings, world.known, "wb-web1") == {"going_live": True}


def test_of_node_is_the_live_release_by_its_roles():
    world = live_world("WS220", "WS221")

    assert of_node(world.settings, world.known, "wb-gb1") == {
        "release": "WS221-2010.12.24-0.02-1350",
        "build": "WS221",
        "webapp": "WS221-2010.12.24-0.02-1350",
        "manifests": {
            "WS221": "sha256 of WS221",
            "WS221-2010.12.24-0.02-1350": "sha256 of WS221-2010.12.24-0.02-1350",
        },
        "datasets": ["mysql/c_elegans_WS221", "mysql/clustal_WS220"],
        "links": {"mysql/c_elegans": "c_elegans_WS221", "mysql/clustal": "clustal_WS220"},
        "sources": [
            {"node": "wb-web1", "address": "10.0.0.11"},
            {"node": "wb-web2", "address": "10.0.0.12"},
            {"node": "wb-mining", "address": "10.0.0.21"},
            {"node": "wb-dev", "address": "10.0.0.2"},
        ],
        "going_live": False,
        "epoch": 0,
    }


def test_of_node_at_a_site_of_its_own_asks_the_development_server():
    world = live_world("WS220")

    assert [one["node"] for one in of_node(world.settings, world.known, "canopus")["sources"]] == [
        "wb-dev"
    ]


@pytest.mark.parametrize("node", ["wb-web1", "wb-mining", "wb-gb1", "canopus"])
def test_of_node_is_what_a_released_node_holds(node):
    world = live_world("WS220", "WS221")
    desired = of_node(world.settings, world.known, node)

    assert set(desired["datasets"]) <= set(world.held[node])
    assert desired["links"] == world.links[node]
    for dataset in desired["datasets"]:
        assert dataset.startswith("webapp/") or world.held[node][dataset] == f"sha256 of {dataset}"


@pytest.mark.parametrize(
    ("landed", "newest"),
    [(None, {}), ("WS220", {"development": "WS221"}), ("WS222", {"development": "WS222"})],
)
def test_of_node_says_where_the_download_links_lead(landed, newest):
    world = live_world("WS220", "WS221")
    world.known = replace(world.known, landed=Build.parse(landed) if landed else None)
    world.carry_out(world.plan(request("rollback")))

    told = of_node(world.settings, world.known, "wb-dev")["downloads"]
    assert told == {"production": "WS220", **newest}
    assert "downloads" not in of_node(world.settings, world.known, "wb-web1")


def test_of_node_follows_the_way_back():
    world = live_world("WS220", "WS221")
    world.carry_out(world.plan(request("rollback")))

    assert of_node(world.settings, world.known, "wb-web1")["build"] == "WS220"


def test_of_node_in_a_change_over_leaves_links_alone():
    world = live_world("WS220")
    world.stage("WS221")
    world.interrupt(world.plan(request("release", "WS221")), flipped=2)
    desired = of_node(world.settings, world.known, "wb-web1")

    assert desired["going_live"] is True
    assert desired["build"] == "WS220"
    world.known = replace(world.known, switch=None)
    assert of_node(world.settings, world.known, "wb-web1")["going_live"] is False
