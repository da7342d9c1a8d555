"""The files of the proxy's pools, and who may serve when a lease has ended."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.errors import BadRequest
from wbcore.model import proxy_pools
from wbcore.model.proxy_pools import Lease

OLD, NEW = "WS220-2010.11.01-0.02-1300", "WS221-2010.12.24-0.02-1350"
NODES = st.dictionaries(
    st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True),
    st.from_regex(r"10\.0\.0\.[0-9]{1,2}:5000", fullmatch=True),
    max_size=5,
)


def shown(release, **other):
    build = release.partition("-")[0]
    number = int(release.rpartition("-")[2]) if "-" in release else 0
    webapp = {"webapp": "0.02", "revision": number}
    version = {"node": "x", "release": release, "acedb": build, **webapp}
    return {**version, "mysql": {"c_elegans": build, "clustal": "WS215"}, **other}


def lease(release=OLD, served=None):
    return Lease(release, 100.0, 105.0, {}, {"wb-web1": shown(OLD)} if served is None else served)


@given(NODES, st.sampled_from(proxy_pools.POOLS))
def test_a_pool_reads_as_it_was_written(nodes, pool):
    text = proxy_pools.render(pool, nodes)
    assert proxy_pools.parse(text) == nodes
    assert text.startswith(f"backend wormbase_{pool}\n")
    assert text.count("server ") == len(nodes)


def test_a_node_that_moved_is_another_server():
    here = proxy_pools.servers({"wb-web1": "10.0.0.1:5000"})
    there = proxy_pools.servers({"wb-web1": "10.0.0.2:5000"})
    assert not here.keys() & there.keys()
    assert list(here.values()) == ["10.0.0.1:5000"]


def test_the_map_reads_as_it_was_written():
    entries = {"live": "b", "page": "up"}
    assert proxy_pools.parse_map(proxy_pools.render_map(entries)) == entries
    assert proxy_pools.parse_map("") == {"live": "a", "page": "down"}


def test_known_refuses_other_pools():
    assert proxy_pools.known("b") == "b"
    with pytest.raises(BadRequest, match="not a pool"):
        proxy_pools.known("../a")


def test_a_lease_survives_its_plain_form():
    assert Lease.parse(lease().plain()) == lease()


@pytest.mark.parametrize(
    ("version", "good"),
    [
        (shown(OLD), True),
        (shown(OLD, acedb="WS221"), False),
        (shown(OLD, mysql={"c_elegans": "WS221"}), False),
        (shown(OLD, mysql={"c_elegans": "none"}), False),
        (shown(OLD, mysql=None), False),
        ({"release": OLD}, False),
        (shown("WS220"), False),
        ("Not Found", False),
        (None, False),
    ],
)
def test_whole_is_one_release(version, good):
    assert proxy_pools.whole(version) is good


def test_those_that_serve_what_was_live_are_kept():
    answers = {"a": shown(OLD), "b": shown(NEW), "c": shown(NEW), "d": shown(OLD, node="d")}
    assert proxy_pools.to_keep(answers, lease()) == ["a", "d"]


def test_else_the_largest_group_is_kept():
    answers = {"a": shown(OLD, acedb="WS221"), "b": shown(NEW), "c": shown(NEW), "d": None}
    assert proxy_pools.to_keep(answers, lease()) == ["b", "c"]


def test_a_node_on_its_way_back_is_not_kept():
    # It answers the new name with a database of the old build.
    half = shown(NEW, mysql={"c_elegans": "WS220", "clustal": "WS215"})
    served = {"a": shown(NEW)}
    assert proxy_pools.to_keep({"a": half}, lease(NEW, served)) == []
    assert proxy_pools.to_keep({"a": half, "b": shown(OLD)}, lease(NEW, served)) == ["b"]


def test_without_a_picture_from_before_the_name_counts():
    assert proxy_pools.to_keep({"a": shown(OLD), "b": shown(NEW)}, lease(served={})) == ["a"]


def test_nobody_is_kept_when_nobody_is_whole():
    assert proxy_pools.to_keep({"a": None, "b": shown(OLD, acedb="WS1")}, lease()) == []
    assert proxy_pools.to_keep({}, lease("", {})) == []


def links(release):
    build = release.partition("-")[0]
    databases = {"mysql/c_elegans": f"c_elegans_{build}", "mysql/clustal": "clustal_WS215"}
    return {"production": release, "acedb": f"wormbase_{build}", **databases}


def test_a_page_ends_with_those_that_serve_all_of_what_it_went_up_for():
    half = shown(NEW, mysql={"c_elegans": "WS220", "clustal": "WS215"})
    up = dataclasses.replace(lease(), links=dict.fromkeys("ab", links(NEW)))
    # Each is one release by its own account, and two of the three have the old c_elegans.
    assert proxy_pools.to_keep({"a": half, "b": half}, up) == []
    assert proxy_pools.to_keep({"a": half, "b": shown(NEW)}, up) == ["b"]
    assert proxy_pools.to_keep({"a": shown(OLD), "b": shown(NEW)}, up) == ["a"]


def answered(body, status=200):
    return {"status": status, "seconds": 0.1, "body": body}


def test_a_node_is_judged_by_the_databases_of_the_release():
    answers = {
        "a": answered(shown(NEW)),
        "b": answered(shown(OLD)),
        "c": answered("x", 502),
        "d": answered(shown(NEW, acedb="WS220")),
        "e": answered(shown(NEW, mysql={"c_elegans": "WS220", "clustal": "WS215"})),
    }
    assert proxy_pools.judged(answers, dict.fromkeys(answers, links(NEW))) == {
        **{"a": True, "b": False, "c": None, "d": False, "e": False}
    }


YES, NO, NONE = True, False, None


@pytest.mark.parametrize(
    ("pooled", "looks", "chosen"),
    [
        # Who serves comes, who serves something else goes.
        ("ab", [{"a": YES, "b": NO, "c": YES}], "ac"),
        # Busy once is not gone; silent all the time is, while enough are left.
        ("abc", [{"a": YES, "b": YES, "c": YES}, {"a": YES, "b": NONE, "c": YES}], "abc"),
        ("abc", [{"a": YES, "b": NONE, "c": YES}] * 2, "ac"),
        # Below the quorum the silent stay, but nobody that serves something else.
        ("abcd", [{"a": YES, "b": NONE, "c": NONE, "d": NO}] * 2, "abc"),
        # One that is not in the pool has to serve now.
        ("a", [{"a": YES, "b": YES, "c": NONE}, {"a": YES, "b": NONE, "c": NONE}], "a"),
        # While nobody serves it the pool is not this function's business.
        ("ab", [{"a": NONE, "b": NONE, "c": NONE}] * 2, ""),
    ],
)
def test_nobody_leaves_the_pool_for_being_busy(pooled, looks, chosen):
    assert proxy_pools.to_serve(pooled, looks, 50) == list(chosen)


@given(
    st.lists(
        st.fixed_dictionaries(dict.fromkeys("abcd", st.sampled_from([YES, NO, NONE]))), min_size=1
    ),
    st.sets(st.sampled_from("abcd")),
    st.integers(1, 100),
)
def test_the_pool_never_has_what_serves_something_else(looks, pooled, percent):
    chosen = proxy_pools.to_serve(pooled, looks, percent)
    assert not [node for node in chosen if looks[-1][node] is NO]
    assert {node for node in "abcd" if looks[-1][node]} <= set(chosen)
    lost = {node for node in pooled if looks[-1][node] is NONE} - set(chosen)
    assert not chosen or not lost or len(chosen) * 100 >= 4 * percent


@pytest.mark.parametrize(
    ("kept", "now", "good"),
    [
        (["wb-web1"], 100, True),
        (["wb-web1", "wb-web2"], 100, True),
        # wb-web1 served before and does not yet: it may be switching.
        (["wb-web2"], 104, False),
        (["wb-web2"], 105, True),
        ([], 200, False),
    ],
)
def test_the_page_waits_for_nodes_that_switch_but_not_for_ever(kept, now, good):
    assert proxy_pools.may_open(kept, ["wb-web1", "wb-web2"], lease(), now) is good


def test_without_an_answer_from_before_the_page_waits_for_the_whole_pool():
    assert not proxy_pools.may_open(["a"], ["a", "b"], lease(served={}), 100)
    assert proxy_pools.may_open(["a", "b"], ["a", "b"], lease(served={}), 100)
    assert proxy_pools.may_open([], [], lease(), 100)
