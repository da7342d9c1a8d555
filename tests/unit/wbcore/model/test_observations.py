"""wbcore.model: what was observed, what the ledger knows, and who needs what."""

import pytest
from cluster import ALL, live_world, release, settings
from wbcore.model.ledger_facts import Known, ReleaseRecord
from wbcore.model.observations import StagingSeen
from wbcore.model.roles import node_links, wanted_kinds, wants
from wbcore.names import Build

RECORD = ReleaseRecord(
    release("WS221"),
    "digest",
    "build digest",
    {"c_elegans": "c_elegans_WS221", "clustal": "clustal_WS220"},
    ["acedb/wormbase_WS221", "mysql/c_elegans_WS221", "mysql/clustal_WS220"],
)


def test_newest_is_by_number_and_none_without_builds():
    assert StagingSeen({"WS99": True, "WS221": False, "WS100": True}).newest == Build(221)
    assert StagingSeen().newest is None


def test_links_of_a_record_are_all_that_is_live():
    assert RECORD.links() == {
        "acedb": "wormbase_WS221",
        "mysql/c_elegans": "c_elegans_WS221",
        "mysql/clustal": "clustal_WS220",
        "production": "WS221-2010.12.24-0.02-1350",
    }


def test_live_is_the_last_of_the_stack():
    assert Known().live is None
    assert Known([release("WS220"), release("WS221")]).live == release("WS221")


def test_made_of_finds_a_release_whatever_its_date():
    known = live_world("WS220", "WS221").known

    assert known.made_of(Build(221), "0.02", 1350) == release("WS221")
    assert known.made_of(Build(221), "0.02", 1351) is None
    assert known.made_of(Build(221), "0.03", 1350) is None
    assert known.made_of(Build(222), "0.02", 1350) is None


@pytest.mark.parametrize(
    ("roles", "kinds"),
    [
        (ALL, {"acedb", "mysql", "support", "webapp"}),
        (["mysql"], {"mysql"}),
        (["staging"], set()),
        (["proxy"], set()),
        (["mining", "support"], {"support"}),
    ],
)
def test_wanted_kinds_follow_the_roles(roles, kinds):
    assert wanted_kinds(roles) == kinds


@pytest.mark.parametrize(
    ("dataset", "nodes"),
    [
        ("acedb/wormbase_WS221", {"wb-web1", "wb-web2", "wb-mining", "canopus"}),
        ("mysql/c_elegans_WS221", {"wb-web1", "wb-web2", "wb-mining", "wb-gb1", "canopus"}),
        ("support/WS221/ontology", {"wb-web1", "wb-web2", "wb-mining", "canopus"}),
        ("support/WS221/blast", {"wb-mining"}),
        ("support/WS221/blat", {"wb-mining"}),
        ("mysql/blast_WS221", {"wb-web1", "wb-web2", "wb-mining", "wb-gb1", "canopus"}),
        ("webapp/WS221-2010.12.24-0.02-1350", {"wb-web1", "wb-web2", "wb-mining", "canopus"}),
    ],
)
def test_wants_follows_the_table_of_field(dataset, nodes):
    cluster = settings()

    assert {node for node in cluster.nodes if wants(cluster, node, dataset)} == nodes


def test_wants_follows_the_pillar_for_what_is_mined():
    cluster = settings(datasets={"mining_only": ["ontology"]})

    assert wants(cluster, "wb-web1", "support/WS221/blast")
    assert not wants(cluster, "wb-web1", "support/WS221/ontology")


def test_node_links_follow_the_roles():
    links, cluster = RECORD.links(), settings()

    assert node_links(cluster, "wb-web1", links) == links
    assert set(node_links(cluster, "wb-gb1", links)) == {"mysql/c_elegans", "mysql/clustal"}
    assert node_links(cluster, "fe", links) == {}
