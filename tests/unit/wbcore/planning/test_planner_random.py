"""wbcore.planning.planner over clusters of any shape and state: what always holds."""

import itertools
from dataclasses import replace

from cluster import World, digest, request
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from wbcore.disk.retention import used, ways_back
from wbcore.errors import BadData, BadRequest
from wbcore.model.ledger_facts import Switch
from wbcore.model.roles import node_links, wants
from wbcore.settings import Settings

ROLES = st.sampled_from(
    [
        ["acedb", "mysql", "support", "web"],
        ["acedb", "mysql", "support", "mining", "web"],
        ["mysql"],
        ["support", "mining"],
        ["mysql", "web"],
    ]
)
BUILDS = ["WS98", "WS99", "WS100", "WS101"]
few = example_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
SUBSETS = st.lists(st.booleans(), min_size=40, max_size=40)


@st.composite
def clusters(draw):
    """Settings of a cluster with some nodes, of which the first serves the web."""
    roles = [["acedb", "mysql", "support", "web"], *draw(st.lists(ROLES, max_size=5))]
    nodes = {
        f"n{number}": {"address": "10.0.0.1", "site": draw(st.sampled_from("xy")), "roles": one}
        for number, one in enumerate(roles)
    }
    dev = {"address": "10.0.0.1", "site": "x", "roles": ["staging"]}
    fe = {"address": "10.0.0.1", "site": "x", "roles": ["proxy"]}
    return Settings.parse({"nodes": {"dev": dev, "fe": fe, **nodes}})


@st.composite
def worlds(draw, lossy=True):
    """A cluster after some releases and minor revisions, then shaken: datasets lost, links
    and servers on anything that is there, nodes away, a change-over half done."""
    world = World(draw(clusters()))
    for build in BUILDS[: draw(st.integers(1, 4))]:
        world.stage(build, *draw(st.sampled_from([(), ("clustal",), ("c_elegans", "clustal")])))
        if draw(st.booleans()) or build == "WS98":
            world.release(build)
            for _ in range(draw(st.integers(0, 2))):
                revision = world.webapp["revision"] + 1
                world.webapp.update(revision=revision, tip=revision)
                live = str(world.known.live.build)
                world.carry_out(world.plan(request("release", live, minor=True)))
    if lossy:
        _lose(draw, world)
    _shake(draw, world)
    return world


def _lose(draw, world):
    lost = itertools.cycle(draw(SUBSETS))
    for node, held in world.held.items():
        world.held[node] = {one: has for one, has in held.items() if not next(lost)}


def _shake(draw, world):
    for node in world.settings.serving:
        name = draw(st.sampled_from(["nothing", "links", "serving", "half done", "nothing"]))
        if name in ("links", "serving"):
            old = world.known.releases[draw(st.sampled_from(list(world.known.releases)))]
            getattr(world, name)[node] = node_links(world.settings, node, old.links())
        elif name == "half done":
            world.half_done.add(node)
    if draw(st.booleans()):
        before, after = world.known.live, draw(st.sampled_from(list(world.known.releases)))
        world.known = replace(world.known, switch=Switch("died", before, after))
    away = draw(st.lists(st.sampled_from(world.settings.serving), max_size=1))
    world.absent = tuple(away)


@st.composite
def requests_of(draw, world):
    """Any request that makes sense to type, about a build that is staged."""
    kind = draw(st.sampled_from(["release", "push", "golive", "minor", "rollback", "announce"]))
    build = draw(st.sampled_from(list(world.builds)))
    if kind == "rollback":
        return request(kind)
    return request("release", build, minor=True) if kind == "minor" else request(kind, build)


@st.composite
def situations(draw):
    world = draw(worlds())
    return world, draw(requests_of(world))


def planned(world, asked):
    """The plan, or nothing when the request is refused."""
    try:
        return world.plan(asked)
    except (BadRequest, BadData):
        assume(False)


@few
@given(situations())
def test_a_plan_is_made_or_refused_in_one_line(situation):
    world, asked = situation
    try:
        world.plan(asked)
    except (BadRequest, BadData) as error:
        assert error.what and error.todo and "\n" not in str(error)


@few
@given(situations())
def test_nobody_is_made_to_fetch_what_its_roles_do_not_want_or_what_it_has(situation):
    world, asked = situation
    plan = planned(world, asked)

    assert set(plan.absent) == set(world.absent)
    assert set(plan.present) == set(world.settings.serving) - set(plan.left_out)
    if plan.lacking:
        assert asked.minor or asked.kind == "rollback"
    for node, datasets in plan.pulls.items():
        assert node in plan.present
        assert list(datasets) == sorted(set(datasets))
        for dataset in datasets:
            assert wants(world.settings, node, dataset)
            has = world.held.get(node, {}).get(dataset)
            assert has is None or (str(asked.build) in world.sealed and has != digest(dataset))
            assert plan.sizes[dataset]["bytes"] == 1000


@few
@given(situations())
def test_everything_that_a_node_needs_and_lacks_is_fetched(situation):
    world, asked = situation
    plan = planned(world, asked)
    assume(plan.seals)
    for node in plan.present:
        needed = {
            one for one in world.datasets(str(asked.build)) if wants(world.settings, node, one)
        }
        assert needed <= set(plan.pulls[node]) | set(world.held.get(node, {}))


@few
@given(situations())
def test_after_the_plan_is_carried_out_the_same_request_finds_nothing_to_do(situation):
    world, asked = situation
    assume(asked.kind != "rollback")
    world.carry_out(planned(world, asked))

    assert world.plan(asked).idle


@few
@given(situations())
def test_after_a_change_over_every_node_that_is_there_serves_the_release(situation):
    world, asked = situation
    plan = planned(world, asked)
    assume(plan.needs_golive)
    world.carry_out(plan)
    links = world.known.releases[plan.release].links()

    assert world.known.live == plan.release
    assert world.known.switch is None
    for node in plan.present:
        wanted = node_links(world.settings, node, links)
        assert wanted.items() <= world.links[node].items()
        assert wanted.items() <= world.serving[node].items()


@few
@given(situations())
def test_a_plan_is_idle_exactly_when_nothing_is_left(situation):
    world, asked = situation
    assume(asked.kind in ("release", "golive") and not asked.minor)
    plan = planned(world, asked)
    build = asked.build
    lacks = any(
        wants(world.settings, node, one) and one not in world.held.get(node, {})
        for node in plan.present
        for one in world.datasets(str(build))
    )
    whole = world.known.live == plan.release and all(
        node not in world.half_done
        and wanted.items() <= world.links.get(node, {}).items()
        and wanted.items() <= world.serving.get(node, {}).items()
        for node in plan.present
        for wanted in [
            node_links(world.settings, node, world.known.releases[plan.release].links())
            if plan.release in world.known.releases
            else {"": ""}
        ]
    )

    assert plan.idle == (whole and not lacks and not plan.announce)
    assert plan.needs_golive == (not whole)


@few
@given(worlds(), st.sampled_from(["release", "push", "golive"]))
def test_an_older_build_is_refused_whatever_else_is_wrong(world, kind):
    older = [build for build in BUILDS if int(build[2:]) < world.known.live.build.number]
    assume(older and not world.absent)
    for build in older:
        try:
            world.plan(request(kind, build))
        except BadRequest as error:
            assert "is older than the live" in str(error)
        else:
            raise AssertionError(build)


@few
@given(worlds(lossy=False))
def test_the_way_back_leads_back_and_needs_no_fetching(world):
    plan = planned(world, request("rollback"))
    stack = list(world.known.stack)

    assert plan.release in stack
    assert not plan.pulls and not plan.announce
    if world.known.switch is None:
        assert plan.release == stack[-2]
    for node in plan.present:
        for one in world.known.releases[plan.release].datasets:
            assert not wants(world.settings, node, one) or one in world.held[node]


@few
@given(worlds(), st.sampled_from(["WS97", *BUILDS]), st.booleans())
def test_purging_is_refused_exactly_for_what_is_needed(world, build, local):
    needed = {one for one in [world.known.live, *ways_back(world.known)]}
    if world.known.switch:
        needed |= {world.known.switch.before, world.known.switch.after}
    try:
        plan = world.plan(request("purge", build, **({"local": True} if local else {})))
    except BadRequest:
        refused = True
    else:
        refused = False
        assert not (plan.idle or plan.needs_pull or plan.needs_golive)
    assert refused == (build in {str(one.build) for one in needed})


@few
@given(worlds())
def test_what_is_used_is_whole(world):
    known = world.known
    reasons = {one.by: one for one in used(known)}

    assert reasons[known.live].why == "it is live"
    assert set(ways_back(known)) <= set(reasons)
    for release, one in reasons.items():
        assert one.datasets == frozenset(known.releases[release].datasets)
        assert {f"mysql/{target}" for target in known.releases[release].databases.values()} <= (
            one.datasets
        )
