"""wbcore.golive: whether what is served is one whole release, and who goes live first."""

import pytest
from cluster import live_world, release, settings
from hypothesis import given
from hypothesis import strategies as st
from wbcore.golive.halves import first_half
from wbcore.golive.served import differences, expected
from wbcore.model.roles import node_links

LINKS = {
    "acedb": "wormbase_WS221",
    "mysql/c_elegans": "c_elegans_WS221",
    "mysql/clustal": "clustal_WS220",
    "production": "WS221-2010.12.24-0.02-1350",
}
VERSION = {
    "node": "wb-web1",
    "release": "WS221-2010.12.24-0.02-1350",
    "webapp": "0.02",
    "revision": 1350,
    "acedb": "WS221",
    "mysql": {"c_elegans": "WS221", "clustal": "WS220"},
}


def test_expected_of_a_web_node_is_its_whole_answer():
    assert expected(LINKS) == {key: VERSION[key] for key in VERSION if key != "node"}


def test_expected_of_a_node_with_mysql_alone_is_its_databases():
    links = node_links(settings(), "wb-gb1", LINKS)

    assert expected(links) == {"mysql": VERSION["mysql"]}


@pytest.mark.parametrize("nonsense", [None, [], "up", 7, {"mysql": ["c_elegans"]}, {"mysql": "x"}])
def test_differences_of_nonsense_say_that_it_is(nonsense):
    assert "instead of its" in differences(nonsense, LINKS)[0]


def test_expected_of_nothing_is_no_database():
    assert expected({}) == {"mysql": {}}


def test_differences_of_the_right_answer_are_none():
    assert differences(VERSION, LINKS) == []


def test_differences_do_not_mind_further_databases_nor_numbers_as_text():
    version = {**VERSION, "revision": "1350", "mysql": {**VERSION["mysql"], "old": "WS100"}}

    assert differences(version, LINKS) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"error": "connection refused"}, "connection refused"),
        ({"release": "WS220-2010.11.01-0.02-1300"}, "release is 'WS220-2010.11.01-0.02-1300'"),
        ({"revision": 1349}, "revision is 1349 instead of 1350"),
        ({"acedb": "WS220"}, "acedb is 'WS220' instead of 'WS221'"),
        ({"acedb": None}, "acedb is None"),
        ({"mysql": {"c_elegans": "WS220", "clustal": "WS220"}}, "MySQL's c_elegans is 'WS220'"),
        ({"mysql": {"c_elegans": "WS221"}}, "MySQL's clustal is None instead of 'WS220'"),
        ({"mysql": None}, "MySQL's c_elegans is None"),
    ],
)
def test_differences_name_what_is_wrong(change, says):
    assert any(says in wrong for wrong in differences({**VERSION, **change}, LINKS))


@pytest.mark.parametrize("missing", ["release", "acedb", "mysql", "webapp", "revision"])
def test_differences_miss_what_is_not_answered(missing):
    version = {key: value for key, value in VERSION.items() if key != missing}

    assert differences(version, LINKS)


@given(st.sampled_from(["WS220", "WS221"]), st.sampled_from(["WS220", "WS221"]))
def test_differences_are_none_exactly_for_one_release(acedb, webapp):
    version = {**VERSION, "acedb": acedb, "release": str(release(webapp))}

    assert (differences(version, LINKS) == []) == (acedb == webapp == "WS221")


def test_every_node_of_a_world_serves_what_its_links_say():
    world = live_world("WS220", "WS221")
    seen = world.see()

    for node in world.settings.serving:
        assert seen.nodes[node].links
        assert differences(seen.nodes[node].version, seen.nodes[node].links) == []


NODES = [f"web{number}" for number in range(7)]


@pytest.mark.parametrize(
    ("web", "serving", "first"),
    [
        (4, [0, 1, 2, 3], [1, 3]),
        (5, [0, 1, 2, 3, 4], [1, 3]),
        (2, [0, 1], [1]),
        # Whoever is out of the pool goes first, and a half is made of others.
        (4, [0, 1, 2], [1, 3]),
        (4, [0], [1, 2, 3]),
        (4, [], [0, 1, 2, 3]),
    ],
)
def test_first_half(web, serving, first):
    chosen = first_half(NODES[:web], [NODES[number] for number in serving])
    assert chosen == [NODES[number] for number in first]


@given(st.integers(2, 7), st.sets(st.sampled_from(NODES)))
def test_the_first_half_leaves_somebody_to_serve(web, serving):
    nodes = NODES[:web]
    serving &= set(nodes)
    first = first_half(nodes, sorted(serving))

    assert set(nodes) - serving <= set(first)
    assert len(first) >= web // 2 or len(serving) == 1
    assert not serving or serving - set(first)
