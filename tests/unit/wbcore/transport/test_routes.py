"""wbcore.transport.routes: one trip to a site, then from sibling to sibling."""

import pytest
from cluster import ALL, settings
from hypothesis import given
from hypothesis import strategies as st
from wbcore.settings import Settings
from wbcore.transport.routes import Leg, route

SITES = ("local", "remote", "overseas")


@st.composite
def situations(draw):
    """A cluster, what each node lacks, and the nodes that have everything."""
    sites = draw(st.lists(st.sampled_from(SITES), min_size=1, max_size=12))
    nodes = {
        f"n{n}": {"address": "10.0.0.1", "site": site, "roles": ALL} for n, site in enumerate(sites)
    }
    names = draw(st.permutations(list(nodes)))
    lacks = draw(st.integers(0, len(names)))
    lacking = {name: ["d"] * draw(st.integers(1, 5)) for name in names[:lacks]}
    complete = names[lacks : draw(st.integers(lacks, len(names)))]
    dev = {"address": "dev", "site": draw(st.sampled_from(SITES)), "roles": ["staging"]}
    return Settings.parse({"nodes": {"dev": dev, **nodes}}), lacking, complete


def test_route_of_field_enters_each_site_once():
    lacking = {node: ["a"] for node in settings().serving} | {"wb-mining": ["a", "b"]}

    assert route(settings(), lacking) == [
        Leg("wb-mining", ("wb-dev",), entry=True),
        Leg("wb-web1", ("wb-mining", "wb-dev"), after="wb-mining"),
        Leg("wb-web2", ("wb-mining", "wb-dev"), after="wb-mining"),
        Leg("wb-gb1", ("wb-web1", "wb-mining", "wb-dev"), after="wb-web1"),
        Leg("canopus", ("wb-dev",), entry=True),
    ]


def test_route_asks_a_sibling_that_has_it_already_and_waits_for_nobody():
    legs = route(settings(), {"wb-web1": ["a"]}, ["wb-web2", "canopus"])

    assert legs == [Leg("wb-web1", ("wb-web2", "wb-dev"))]


def test_route_of_nothing_is_no_leg():
    assert route(settings(), {}, ["wb-web1"]) == []


@given(situations())
def test_every_node_that_lacks_has_exactly_one_leg(situation):
    cluster, lacking, complete = situation

    assert sorted(leg.node for leg in route(cluster, lacking, complete)) == sorted(lacking)


@given(situations())
def test_data_enter_a_site_at_most_once_and_only_where_nobody_has_them(situation):
    cluster, lacking, complete = situation
    entered = [
        cluster.nodes[leg.node].site for leg in route(cluster, lacking, complete) if leg.entry
    ]
    had = {cluster.nodes[node].site for node in complete}
    in_need = {cluster.nodes[node].site for node in lacking}

    assert sorted(entered) == sorted(in_need - had)


@given(situations())
def test_a_leg_waits_only_for_one_before_it_of_its_own_site(situation):
    cluster, lacking, complete = situation
    done = set()
    for leg in route(cluster, lacking, complete):
        assert not leg.after or (leg.after in done and leg.after == leg.sources[0])
        assert leg.after or leg.entry or leg.sources[0] in complete
        done.add(leg.node)


@given(situations())
def test_sources_are_siblings_and_at_last_the_development_server(situation):
    cluster, lacking, complete = situation
    for leg in route(cluster, lacking, complete):
        *siblings, last = leg.sources
        assert last == "dev"
        assert leg.node not in siblings
        assert {cluster.nodes[one].site for one in siblings} <= {cluster.nodes[leg.node].site}
        assert len(set(leg.sources)) == len(leg.sources)
        assert leg.entry == (leg.sources == ("dev",))


@given(situations())
def test_nobody_serves_more_than_two_at_once(situation):
    cluster, lacking, complete = situation
    first = [leg.sources[0] for leg in route(cluster, lacking, complete) if not leg.entry]

    assert all(first.count(source) <= 2 for source in first)


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_the_last_node_waits_for_few_trips(count):
    names = [f"n{n}" for n in range(count)]
    nodes = {name: {"address": "10.0.0.1", "site": "local", "roles": ALL} for name in names}
    dev = {"address": "dev", "site": "local", "roles": ["staging"]}
    legs = route(Settings.parse({"nodes": {"dev": dev, **nodes}}), {name: ["d"] for name in names})
    depth = {"": 0}
    for leg in legs:
        depth[leg.node] = depth[leg.after] + 1

    assert max(depth.values()) == count.bit_length()
