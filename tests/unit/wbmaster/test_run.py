"""Runs from their first call to their last, with every kind of trouble on the way.

Invariant 5: whatever fails, the public site keeps serving one whole release, and the same
command does what is left. ``rehearsal`` says what is real here and what is a model.
"""

import contextlib
import dataclasses
import itertools
import os
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from cluster import World, release, request, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st
from rehearsal import Desk, staged, steps_of
from simulated_nodes import FAIL, KILL_AFTER, KILL_BEFORE, LOSE, TROUBLES, Killed
from wbcore.errors import Away, BadRequest, Busy, Interrupted, ReleaseError, StepFailed
from wbcore.names import Build
from wbcore.requests import Request
from wbcore.settings import MAINTENANCE, WAYS, Notify
from wbmaster import run
from wbmaster.commands import verdicts
from wbmaster.lifecycle import begin, refusals
from wbmaster.lock import RunLock
from wbmaster.nodes.fleet import Answer
from wbmaster.unattended import launcher, supervisor

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]


@pytest.fixture(scope="module", params=WAYS)
def way(request):
    """How releases go live."""
    return request.param


@pytest.fixture(scope="module")
def situations(memory, way):
    """Desks before a release, a way back, a minor revision and a first release."""
    root = memory / way
    chosen = settings(golive={"way": way})
    before = staged(World(chosen), root / "before", "WS219", "WS220", "WS221")
    after = before.again(root / "after")
    after.run(request("release", "WS221"))
    newer = after.again(root / "newer")
    newer.nodes.world.webapp.update(revision=1351, tip=1351)
    pushed = before.again(root / "pushed")
    pushed.run(request("push", "WS221"))
    return {
        "release": (before, request("release", "WS221"), release("WS221")),
        "golive": (pushed, request("golive", "WS221"), release("WS221")),
        "rollback": (after, request("rollback"), release("WS220")),
        "minor": (newer, request("release", "WS221", minor=True), release("WS221", 1351)),
        "first": (
            staged(World(chosen), root / "first", "WS221"),
            request("release", "WS221"),
            release("WS221"),
        ),
    }


@pytest.fixture
def desk(situations, room):
    """A desk with WS220 live and WS221 staged."""
    desk = situations["release"][0].again(room / "desk")
    yield desk
    run.set_current(None)
    desk.wire.close()


def attempt(desk: Desk, asked: Request, troubles=None) -> str:
    """How a run ended, in one word."""
    try:
        desk.run(asked, troubles or {})
    except Killed:
        return "killed"
    except ReleaseError:
        return "failed"
    return "done"


def shown(desk: Desk) -> set[str]:
    """The releases that the pool shows, without their dates."""
    releases = [desk.nodes.version(node).get("release") for node in desk.nodes.pool]
    return {str(name).replace("-" + name[6:16], "") for name in releases if name}


def undated(one) -> str:
    return f"{one.build}-{one.webapp}-{one.revision}"


# Smooth runs


def test_a_release_is_live_everywhere_and_announced_once(desk):
    said = desk.run(request("release", "WS221"))

    assert said.endswith(f"{desk.live} is live.")
    assert desk.live.same_content(release("WS221"))
    assert desk.nodes.wrong == []
    assert sorted(desk.nodes.pool) == sorted(WEB)
    assert [name[:5] for name in desk.nodes.told["mail"]] == ["WS219", "WS220", "WS221"]
    assert desk.nodes.told["post"] == desk.nodes.told["mail"]


@pytest.mark.parametrize("kind", ["release", "rollback"])
def test_the_download_links_move_beside_the_site_and_nobody_waits(situations, room, kind, way):
    before, asked, wanted = situations[kind]
    desk = before.again(room / "desk")
    desk.run(asked)

    moved = desk.nodes.asked.index(("wb-dev", "wb_download.follow"))
    assert desk.nodes.downloads["production"] == str(wanted.build)
    # Only for as long as it takes to give the next order, and never without a page.
    beside = ["wb_download.follow on wb-dev"] if way != MAINTENANCE else []
    assert desk.nodes.apart == beside
    next_call = "wb_live.switch" if way == MAINTENANCE else "wb_proxy.change_over"
    assert desk.nodes.asked[moved + 1][1] == next_call
    assert desk.changes["return_to_service"]["download links"] == f"lead to {wanted.build}"
    desk.wire.close()


def test_a_go_live_that_is_undone_takes_the_download_links_back_beside_the_site(desk, way):
    answers = {"answers": 1000, "errors": 0}
    bad = {"before": answers, "after": {**answers, "errors": 900}, "bad": True}
    desk.nodes.wb_proxy_watch = lambda node, seconds, percent: bad
    switch = [f for _, f in _calls(desk, request("release", "WS221"))].index("wb_live.switch")
    with pytest.raises(StepFailed):
        desk.run(request("release", "WS221"), {switch: FAIL} if way == MAINTENANCE else {})

    assert desk.nodes.downloads["production"] == "WS220" == str(desk.live.build)
    assert desk.nodes.apart == ["wb_download.follow on wb-dev"] * (0 if way == MAINTENANCE else 2)


def test_a_minor_revision_says_nothing_of_the_download_links(situations, room):
    before, asked, _ = situations["minor"]
    desk = before.again(room / "desk")
    assert "download links" not in desk.forecast(asked)["return_to_service"]
    desk.run(asked)

    assert desk.nodes.apart == []
    assert "download links" not in desk.changes["return_to_service"]
    desk.wire.close()


def test_a_dry_run_names_the_download_links(desk):
    told = desk.forecast(request("release", "WS221"))["return_to_service"]
    assert told["download links"] == "would lead to WS221, where there are any"


@pytest.mark.parametrize("answer", [Answer(silent=True), Answer(error="no disk")])
def test_links_that_can_not_be_moved_are_named_and_keep_nothing_from_going_live(desk, answer):
    real = desk.nodes._ask
    desk.nodes._ask = lambda node, function, kwargs: (
        answer if function == "wb_download.follow" else real(node, function, kwargs)
    )
    said = desk.run(request("release", "WS221"))

    assert said.endswith(f"{desk.live} is live.") and shown(desk) == {"WS221-0.02-1350"}
    why = answer.error or "it does not answer"
    assert desk.changes["return_to_service"]["download links"] == f"left as they were: {why}"


def test_going_back_does_not_wait_for_a_development_server_that_is_away(situations, room):
    desk = situations["rollback"][0].again(room / "desk")
    desk.nodes.world.absent = ("wb-dev",)
    desk.run(request("rollback"))

    told = desk.changes["return_to_service"]["download links"]
    assert told == "left as they were: it does not answer"
    assert shown(desk) == {"WS220-0.02-1350"}
    desk.wire.close()


def test_a_site_without_a_pattern_has_no_download_links(memory):
    chosen = settings(downloads={"production": {}, "development": {}})
    desk = staged(World(chosen), memory / "no links", "WS220", "WS221")
    desk.run(request("release", "WS221"))

    assert ("wb-dev", "wb_download.follow") not in desk.nodes.asked
    assert "download links" not in desk.forecast(request("rollback"))["return_to_service"]
    desk.wire.close()


def test_a_release_records_and_tells_every_step_in_the_order_of_its_file(desk):
    desk.run(request("release", "WS221"))
    recorded = desk.ledger.steps(desk.ledger.runs(1)[0]["id"])

    assert [step["step"] for step in recorded] == steps_of("release")
    assert {step["outcome"] for step in recorded} == {"done"}
    told = [tag.rsplit("/", 2)[1:] for tag, _ in desk.wire.fired]
    steps = [step for step in told if step[1] != "progress"]
    assert steps == [
        *([step, phase] for step in steps_of("release") for phase in ("start", "done")),
        ["run", "done"],
    ]


def test_a_release_leaves_lock_and_ledger_closed(desk):
    desk.run(request("release", "WS221"))

    assert desk.lock.free()
    assert run.current() is None
    assert desk.ledger.unfinished() is None
    ended = desk.ledger.runs(1)[0]
    assert (ended["outcome"], ended["kind"], ended["build"]) == ("done", "release", "WS221")
    assert ended["release"] == str(desk.live)
    assert ended["figures"]["push_mysql"]["received"] > 0
    assert set(ended["figures"]["push_mysql"]["entered"]) == {"local", "remote"}


def test_a_release_that_is_done_asks_and_does_nothing_more(desk):
    desk.run(request("release", "WS221"))
    said = desk.run(request("release", "WS221"))

    assert said == f"{desk.live} is already live; nothing to do."
    assert {function for _, function in desk.nodes.asked} == {"wb_node.observe"}
    assert desk.lock.free()
    assert len(desk.ledger.runs(9)) == 3


def test_retention_leaves_one_release_beside_live_and_way_back(desk):
    desk.run(request("release", "WS221"))
    desk.nodes.world.stage("WS222")
    desk.run(request("release", "WS222"))
    held = set(desk.nodes.world.held["wb-web1"])

    assert {f"acedb/wormbase_{build}" for build in ("WS220", "WS221", "WS222")} <= held
    assert "acedb/wormbase_WS219" not in held
    # The database that was never rebuilt since is live.
    assert "mysql/clustal_WS219" in held


def test_a_database_that_builds_have_no_more_stays_where_its_link_leads_to_it(memory):
    world = World(settings(retention={"keep": 0}))
    desk = staged(world, memory / "dropped", "WS217", "WS218")
    del world.builds["WS218"]["clustal"]
    world.sealed.add("WS218")
    verdicts.accept(desk, "WS218", "nobody aligns with clustal any longer")
    told = {}
    for build in ("WS218", "WS219", "WS220", "WS221"):
        if build not in world.builds:
            world.stage(build)
        foretold = desk.forecast(request("release", build))["purge_old_releases"]
        desk.run(request("release", build))
        told[build] = desk.changes["purge_old_releases"]
        assert foretold == told[build]

    # Of WS217 all goes but what a link leads to, which no later run stumbles over.
    kept = {"mysql/clustal_WS217": "is live here (the link mysql/clustal says so)"}
    assert told["WS219"]["kept"] == kept
    assert "WS217" in told["WS219"] and "WS217" not in told["WS220"]
    for node in desk.settings.serving:
        held = desk.nodes.world.held[node]
        assert [one for one in held if "WS217" in one] == ["mysql/clustal_WS217"]
    # Where nothing but such a database is left to purge, that is no error either.
    desk.run(request("purge", "WS217"))
    assert desk.nodes.wrong == []
    desk.wire.close()


def test_data_enter_each_site_once(desk):
    desk.run(request("release", "WS221"))
    firsts = [node for node, function in desk.nodes.asked if function == "wb_disk.check"]
    entered = desk.ledger.runs(1)[0]["figures"]["push_acedb"]

    # Once before the parcels are made and once after.
    assert len(firsts) == 5 + 5
    assert entered["entered"] == {"local": 100, "remote": 100}
    assert entered["received"] == 400


# Trouble


def last_calls(desk: Desk, asked: Request, trouble: str, root) -> list[int]:
    """Which calls end a row of calls of one function, and all of those that switch; those
    before anything goes live are tried with two kinds of trouble only."""
    probe = desk.again(root)
    probe.run(asked)
    probe.wire.close()
    functions = [function for _, function in probe.nodes.asked]
    since = 0 if trouble in (FAIL, KILL_AFTER) else functions.index(_first_of(desk))
    return [
        number
        for number, (one, after) in enumerate(itertools.pairwise([*functions, ""]))
        if number >= since and (one != after or one == "wb_live.switch")
    ]


def _first_of(desk: Desk) -> str:
    """The call with which a release begins to go live."""
    paged = desk.settings.golive.way == MAINTENANCE
    return "wb_proxy.maintain" if paged else "wb_live.switch"


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [
        *itertools.product(("release", "rollback"), TROUBLES),
        *itertools.product(("minor", "first"), (FAIL, KILL_AFTER)),
        ("golive", KILL_AFTER),
    ],
)
def test_whatever_happens_the_site_is_whole_and_the_same_command_does_the_rest(
    situations, room, kind, trouble
):
    before, asked, wanted = situations[kind]
    calls = last_calls(before, asked, trouble, room / "probe")
    assert len(calls) > 6
    for call in calls:
        desk = before.again(room / str(call))
        outcome = attempt(desk, asked, {call: trouble})
        met = desk.nodes.asked[min(call, len(desk.nodes.asked) - 1)]
        where = f"{trouble}: {met}, {outcome}"

        switching = desk.ledger.known().switch
        assert desk.nodes.wrong == [], where
        assert desk.lock.free() and run.current() is None, where
        assert len(shown(desk)) <= 1, where
        if outcome == "killed":
            assert not switching or desk.ledger.unfinished(), where
        else:
            assert switching is None and desk.ledger.unfinished() is None, where
            # A first release that failed at the very end has nothing to give way to.
            expected = {undated(desk.live)} if desk.live else shown(desk) & {undated(wanted)}
            assert shown(desk) == expected, where
            if desk.live:
                assert desk.nodes.downloads["production"] == str(desk.live.build), where
        if outcome == "done" and kind == "rollback":
            continue

        assert attempt(desk, asked) == "done", where
        assert desk.nodes.wrong == [], where
        assert desk.live.same_content(wanted), where
        assert shown(desk) == {undated(wanted)} and sorted(desk.nodes.pool) == sorted(WEB), where
        assert desk.ledger.known().switch is None and desk.ledger.unfinished() is None, where
        assert desk.nodes.downloads["production"] == str(wanted.build), where
        mails = [name for name in desk.nodes.told["mail"] if name.startswith("WS221")]
        assert len(mails) == (0 if kind == "golive" else 1), where
        desk.wire.close()


def test_a_node_whose_first_answer_is_lost_is_asked_again(desk):
    desk.run(request("release", "WS221"), {0: LOSE})

    asked = [node for node, function in desk.nodes.asked if function == "wb_node.observe"]
    assert asked[0] in asked[1:]
    assert desk.nodes.world.serving["canopus"]["acedb"] == "wormbase_WS221"


@pytest.mark.parametrize("first", [FAIL, KILL_BEFORE, KILL_AFTER, LOSE])
@pytest.mark.parametrize("later", [FAIL, LOSE, KILL_AFTER])
def test_trouble_while_putting_back_leaves_the_site_whole_too(situations, room, first, later):
    before, asked, wanted = situations["release"]
    probe = before.again(room / "probe")
    probe.run(asked)
    switches = [n for n, (_, f) in enumerate(probe.nodes.asked) if f == "wb_live.switch"]
    for distance in (1, 5, 9):
        desk = before.again(room / str(distance))
        attempt(desk, asked, {switches[1]: first, switches[1] + distance: later})
        assert desk.nodes.wrong == []
        assert len(shown(desk)) == 1

        attempt(desk, asked)
        assert attempt(desk, asked) == "done"
        assert desk.nodes.wrong == []
        assert desk.live.same_content(wanted) and shown(desk) == {undated(wanted)}
        desk.wire.close()


ACTIONS = st.one_of(
    st.sampled_from(["stage", "commit", "all back"]).map(lambda what: (what, None)),
    st.tuples(
        st.sampled_from(["release", "minor", "rollback", "push", "golive", "purge", "announce"]),
        st.dictionaries(st.integers(0, 60), st.sampled_from(TROUBLES), max_size=2),
    ),
    st.tuples(
        st.just("absent"),
        st.lists(st.sampled_from(["wb-web1", "wb-gb1", "canopus"]), max_size=2, unique=True),
    ),
)


@example_settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(actions=st.lists(ACTIONS, min_size=3, max_size=8))
def test_any_row_of_runs_leaves_the_site_whole(situations, memory, actions):
    desk = situations["release"][0].again(Path(tempfile.mkdtemp(dir=memory)))
    world = desk.nodes.world
    for what, detail in actions:
        newest = max(int(build[2:]) for build in world.builds)
        if what == "stage":
            world.stage(f"WS{newest + 1}")
        elif what == "commit":
            revision = world.webapp["revision"] + 1
            world.webapp.update(revision=revision, tip=revision)
        elif what in ("absent", "all back"):
            world.absent = tuple(detail or ())
        else:
            attempt(desk, _request(what, desk, newest), detail)
        assert desk.nodes.wrong == []
        assert len(shown(desk)) == 1
        if not desk.ledger.known().switch:
            assert shown(desk) == {undated(desk.live)}
            assert desk.nodes.downloads["production"] == str(desk.live.build)
    desk.wire.close()


def _request(what: str, desk: Desk, newest: int) -> Request:
    live = str(desk.live.build)
    if what == "minor":
        return request("release", live, minor=True)
    return request(
        what, {"rollback": "", "purge": "WS219", "announce": live}.get(what, f"WS{newest}")
    )


@pytest.mark.parametrize("after", ["push", "release", "purge"])
def test_another_request_after_a_run_that_died_puts_the_site_back_first(desk, after):
    call = [f for _, f in _calls(desk, request("release", "WS221"))].index("wb_live.switch")
    assert attempt(desk, request("release", "WS221"), {call + 1: KILL_BEFORE}) == "killed"
    switched = desk.nodes.asked[call][0]
    assert desk.nodes.world.links[switched]["acedb"] == "wormbase_WS221"
    desk.nodes.world.stage("WS222")
    build = {"push": "WS222", "release": "WS222", "purge": "WS218"}[after]
    found = []

    def first_step(node, **_):
        found.append(desk.ledger.known().switch)
        found.extend(desk.nodes.world.links[one]["acedb"] for one in desk.nodes.pool)
        raise Killed

    desk.nodes.wb_build_seal = desk.nodes.wb_dataset_found = first_step
    assert attempt(desk, request(after, build)) == "killed"
    assert found == [None, *["wormbase_WS220"] * 4]
    assert desk.nodes.wrong == []


def test_an_announcement_after_a_run_that_died_puts_the_site_back_first(desk):
    call = [f for _, f in _calls(desk, request("release", "WS221"))].index("wb_live.switch")
    assert attempt(desk, request("release", "WS221"), {call + 1: KILL_BEFORE}) == "killed"
    switched = desk.nodes.asked[call][0]

    assert "announced already" in desk.run(request("announce", "WS220"))
    assert desk.ledger.known().switch is None
    assert desk.nodes.world.links[switched]["acedb"] == "wormbase_WS220"
    assert sorted(desk.nodes.pool) == sorted(WEB) and desk.nodes.wrong == []


def after_the_push(desk, do) -> None:
    """Let something happen when everything slow is done and nothing has moved yet."""

    def preflight(node, real=desk.nodes.wb_webapp_preflight, **needs):
        do()
        return real(node, **needs)

    desk.nodes.wb_webapp_preflight = preflight


def test_a_node_that_the_proxy_took_in_during_the_push_gives_no_old_answer(desk):
    desk.nodes.world.absent = ("wb-web2",)
    desk.nodes.pool = [node for node in WEB if node != "wb-web2"]
    after_the_push(desk, lambda: setattr(desk.nodes, "pool", list(WEB)))
    desk.run(request("release", "WS221"))

    assert desk.nodes.wrong == [] and shown(desk) == {"WS221-0.02-1350"}
    assert "wb-web2" not in desk.nodes.pool


def test_nodes_that_the_proxy_took_in_during_the_push_are_not_switched_while_they_serve(desk):
    desk.nodes.pool = ["wb-web1", "wb-web2"]
    after_the_push(desk, lambda: setattr(desk.nodes, "pool", list(WEB)))
    desk.run(request("release", "WS221"))

    assert desk.nodes.wrong == [] and sorted(desk.nodes.pool) == sorted(WEB)


def test_a_node_that_was_taken_out_of_the_pillar_is_not_named_to_the_proxy(desk):
    named = []

    def set_pool(node, pool, nodes, real=desk.nodes.wb_proxy_set_pool):
        named.extend(nodes)
        return real(node, pool, nodes)

    desk.nodes.wb_proxy_set_pool = set_pool
    desk.nodes.pool = [*WEB, "wb-gone"]
    desk.run(request("release", "WS221"))

    assert sorted(desk.nodes.pool) == sorted(WEB) and "wb-gone" not in named


def test_a_node_that_the_proxy_dropped_during_the_push_is_not_let_serve_before(desk):
    let, live = [], desk.nodes.live_pool

    def set_pool(node, pool, nodes, real=desk.nodes.wb_proxy_set_pool):
        if pool == live and desk.nodes.live_pool == live and desk.nodes.lease is None:
            let.extend(nodes)
        return real(node, pool, nodes)

    desk.nodes.wb_proxy_set_pool = set_pool
    rest = [node for node in WEB if node != "wb-web1"]
    after_the_push(desk, lambda: setattr(desk.nodes, "pool", list(rest)))
    desk.run(request("release", "WS221"))

    assert "wb-web1" not in let and sorted(desk.nodes.pool) == sorted(WEB)


@pytest.mark.parametrize(
    ("kind", "build", "says"), [("hold", None, "everything is held by"), ("bad", "WS221", "bad by")]
)
def test_what_is_said_of_a_build_during_its_push_is_heeded(desk, kind, build, says):
    named = Build.parse(build) if build else None
    after_the_push(desk, lambda: desk.ledger.judge(kind, named, "no reason", "a curator"))
    with pytest.raises(BadRequest, match=says):
        desk.run(request("release", "WS221"))

    assert desk.live.same_content(release("WS220")) and desk.ledger.known().switch is None
    assert sorted(desk.nodes.pool) == sorted(WEB) and shown(desk) == {"WS220-0.02-1350"}


def test_the_same_live_release_after_a_run_that_died_early_forgets_the_change_over(desk):
    call = [f for _, f in _calls(desk, request("release", "WS221"))].index(_first_of(desk))
    assert attempt(desk, request("release", "WS221"), {call: KILL_BEFORE}) == "killed"
    assert desk.ledger.known().switch

    # Half of the nodes had left the pool, where nobody sees a page.
    word = "already live" if desk.settings.golive.way == MAINTENANCE else "is live"
    assert word in desk.run(request("release", "WS220"))
    assert desk.ledger.known().switch is None
    assert sorted(desk.nodes.pool) == sorted(WEB)


# Nodes that are away


def test_a_node_that_is_away_leaves_the_pool_and_joins_when_it_is_back(desk):
    desk.nodes.world.absent = ("wb-web2",)
    said = desk.run(request("release", "WS221"))
    assert "left out: wb-web2" in said
    assert "wb-web2" not in desk.nodes.pool
    assert desk.live.same_content(release("WS221"))

    desk.nodes.world.absent = ()
    desk.run(request("release", "WS221"))
    assert sorted(desk.nodes.pool) == sorted(WEB)
    assert shown(desk) == {"WS221-0.02-1350"}
    assert desk.nodes.wrong == []
    # It was mended beside the others: nobody saw a page.
    assert "wb_proxy.maintain" not in {function for _, function in desk.nodes.asked}


def dies_at(desk, node, number):
    """Let a node be gone from the call of this number on."""
    real = desk.nodes._ask

    def ask(asked, function, kwargs):
        if len(desk.nodes.asked) >= number:
            desk.nodes.world.absent = (node,)
        return real(asked, function, kwargs)

    desk.nodes._ask = ask
    return real


@pytest.mark.parametrize("node", ["wb-web1", "wb-web2", "wb-gb1", "canopus"])
def test_one_node_that_dies_stops_no_release(desk, room, node):
    asked = request("release", "WS221")
    calls = _calls(desk, asked)
    looked = [function for _, function in calls].count("wb_node.observe")
    # When it dies, the next call to it, or to the proxy about it, is the first without an answer.
    for number in range(looked, len(calls)):
        if calls[number][0] not in (node, "fe"):
            continue
        twin = desk.again(room / f"{node}-{number}")
        real, where = dies_at(twin, node, number), f"{node} dies before {calls[number]}"
        said = twin.run(asked)

        assert said.endswith(f"{twin.live} is live.") and twin.nodes.wrong == [], where
        left_out = [line for line in said.splitlines() if line.startswith("left out: ")]
        assert "".join(left_out).count(node) <= 1, left_out
        assert shown(twin) == {"WS221-0.02-1350"}, where
        noticed = node not in twin.nodes.pool or node not in WEB
        assert (
            not noticed
            or number > calls.index((node, "wb_dataset.found"))
            or (f"left out: {node}" in said)
        ), where
        twin.nodes._ask, twin.nodes.world.absent = real, ()
        twin.run(asked)
        assert sorted(twin.nodes.pool) == sorted(WEB) and twin.nodes.wrong == [], where
        twin.wire.close()


@pytest.mark.parametrize("machine", ["wb-dev", "fe"])
def test_a_release_waits_for_the_machines_that_it_can_not_do_without(desk, room, machine, started):
    asked = request("release", "WS221")
    calls = _calls(desk, asked)
    looked = [function for _, function in calls].count("wb_node.observe")
    for number in range(looked, len(calls)):
        if calls[number][0] != machine:
            continue
        twin = desk.again(room / f"{machine}-{number}")
        real, where = dies_at(twin, machine, number), f"{machine} dies before {calls[number]}"
        try:
            twin.run(asked)
        except ReleaseError as error:
            assert isinstance(error, Away) and machine in error.machines, f"{where}: {error}"
            assert twin.ledger.unfinished()["outcome"] == "waiting", where
            assert supervisor.take_up(twin) == "" and started == [], where
            twin.nodes._ask, twin.nodes.world.absent = real, ()
            assert supervisor.take_up(twin) and started.pop() == asked, where
            twin.run(asked)
        assert twin.live.same_content(release("WS221")), where
        assert shown(twin) == {"WS221-0.02-1350"} and twin.nodes.wrong == [], where
        assert sorted(twin.nodes.pool) == sorted(WEB), where
        assert twin.ledger.unfinished() is None and twin.ledger.known().switch is None, where
        assert [name[:5] for name in twin.nodes.told["mail"]].count("WS221") == 1, where
        twin.wire.close()


def test_a_landed_build_waits_for_the_development_server_however_often_it_is_tried(
    desk, started, monkeypatch
):
    asked = request("release", "WS221")
    desk.nodes.world.absent = ("wb-dev",)
    monkeypatch.setenv("WORMBASE_CAUSE", "landed")
    assert attempt(desk, asked) == "failed"
    waits = desk.ledger.unfinished()
    assert waits["outcome"] == "waiting" and waits["error"].startswith("wb-dev does not answer")

    # Its minion answers, and it can not say what it holds: that is tried later each time.
    monkeypatch.setenv("WORMBASE_CAUSE", "supervisor")
    for _ in range(refusals.MOST + 1):
        assert supervisor.take_up(desk) == ""
        assert attempt(desk, asked) == "failed"
    assert desk.ledger.unfinished()["id"] == waits["id"] and started == []

    desk.nodes.world.absent = ()
    assert supervisor.take_up(desk).endswith("was taken up") and started == [asked]
    assert attempt(desk, asked) == "done" and desk.live.same_content(release("WS221"))


@pytest.mark.parametrize("set_back", [0, 86_400])
def test_a_clock_that_was_set_back_keeps_nobody_waiting_for_a_day(
    desk, started, monkeypatch, set_back
):
    call = [f for _, f in _calls(desk, request("release", "WS221"))].index("wb_live.switch")
    attempt(desk, request("release", "WS221"), {call + 1: KILL_BEFORE})
    desk.ledger.end_run(desk.ledger.unfinished()["id"], "failed", "it could not be taken up")
    now = time.time() + 200 - set_back
    monkeypatch.setattr(supervisor.time, "time", lambda: now)
    assert supervisor.take_up(desk) and started == [request("rollback")]


def test_people_are_told_that_a_run_waits_and_whoever_watches_it_too(desk, started):
    landing = dataclasses.replace(desk.settings.landing, notify=Notify(mail=("ops@wormbase.org",)))
    desk.settings = dataclasses.replace(desk.settings, landing=landing)
    calls = [function for _, function in _calls(desk, request("release", "WS221"))]
    dies_at(desk, "fe", calls.index(_first_of(desk)))
    with pytest.raises(Away):
        desk.run(request("release", "WS221"))

    assert [tag.rsplit("/", 2)[1:] for tag, _ in desk.wire.fired][-1] == ["run", "waiting"]
    waits = "orch.release {build: WS221} waits"
    assert [subject for subject, _ in desk.nodes.notices] == [
        "orch.release {build: WS221} has begun", waits
    ]  # fmt: skip
    # Told, and still known for whom.
    assert desk.ledger.unfinished()["figures"]["told"]["ended"]
    assert supervisor.take_up(desk) == "" and started == []


def test_a_dry_run_goes_on_without_a_node_that_dies_meanwhile(desk):
    real = desk.nodes._ask

    def ask(node, function, kwargs):
        if function == "wb_disk.check":
            desk.nodes.world.absent = ("canopus",)
        return real(node, function, kwargs)

    desk.nodes._ask = ask
    assert desk.forecast(request("release", "WS221"))["go_live"]


def test_nodes_whose_answers_a_new_master_has_lost_are_not_left_out(desk):
    calls = [f for _, f in _calls(desk, request("release", "WS221"))]
    real = desk.nodes._ask

    def ask(node, function, kwargs):
        if function == "wb_dataset.pull" and node == "canopus":
            desk.wire.masters += 1
            return Answer(silent=True)
        return real(node, function, kwargs)

    desk.nodes._ask = ask
    with pytest.raises(Interrupted, match="the master was started anew"):
        desk.run(request("release", "WS221"))
    assert "wb_dataset.pull" in calls and desk.ledger.unfinished() is not None


def test_a_node_that_says_that_it_failed_stops_a_release(desk):
    real = desk.nodes._ask
    desk.nodes._ask = lambda node, function, kwargs: (
        Answer(error="the disk is broken")
        if (node, function) == ("canopus", "wb_dataset.pull")
        else real(node, function, kwargs)
    )
    with pytest.raises(StepFailed, match="canopus: the disk is broken"):
        desk.run(request("release", "WS221"))
    assert shown(desk) == {"WS220-0.02-1350"}


def test_a_release_that_loses_most_of_its_web_nodes_stops_and_nothing_moves(desk):
    real = desk.nodes._ask

    def ask(node, function, kwargs):
        if function == "wb_dataset.pull":
            desk.nodes.world.absent = ("wb-web1", "wb-web2", "wb-mining")
        return real(node, function, kwargs)

    desk.nodes._ask = ask
    with pytest.raises(BadRequest, match="only 1 of 4 web nodes answer"):
        desk.run(request("release", "WS221"))
    assert desk.live.same_content(release("WS220"))


def test_a_node_that_can_not_be_put_back_leaves_the_pool_and_is_named(desk):
    real = desk.nodes._ask
    desk.nodes._ask = lambda node, function, kwargs: (
        Answer(error="it failed")
        if (node, function) == ("wb-web2", "wb_live.switch")
        else real(node, function, kwargs)
    )
    with pytest.raises(StepFailed, match="wb-web2: it failed; the site was put back"):
        desk.run(request("release", "WS221"))

    assert sorted(desk.nodes.pool) == ["canopus", "wb-mining", "wb-web1"]
    assert shown(desk) == {"WS220-0.02-1350"}


def _calls(desk: Desk, asked: Request) -> list[tuple[str, str]]:
    probe = desk.again(desk.layout.root.parent / "probe")
    probe.run(asked)
    probe.wire.close()
    return probe.nodes.asked


# One at a time


def test_another_request_is_told_who_is_at_work(desk):
    desk.lock.take(dict(run.describe(request("push", "WS221"), "other")))

    with pytest.raises(Busy, match=r"orch.push \{build: WS221\} has been running since .* pid"):
        RunLockless(desk).run(request("release", "WS221"))
    assert desk.nodes.asked == []


def restarting(desk, monkeypatch, end):
    """The servers of wb-web1 are being restarted; ``end`` is what happens while a run waits."""
    desk.lock.take({**run.holder(), "run": "restart", "request": "the restart on wb-web1"})
    clock = SimpleNamespace(time=time.time, monotonic=time.monotonic, sleep=lambda _: end())
    monkeypatch.setattr(begin, "time", clock)


def test_a_run_waits_for_the_restart_of_a_node(desk, monkeypatch):
    restarting(desk, monkeypatch, desk.lock.release)
    other = RunLockless(desk)
    other.run(request("push", "WS221"))
    assert other.nodes.asked


def test_a_run_does_not_wait_for_ever_for_the_restart_of_a_node(desk, monkeypatch):
    monkeypatch.setattr(begin, "_RESTART_SECONDS", 0)
    restarting(desk, monkeypatch, lambda: None)
    with pytest.raises(Busy, match=r"the restart on wb-web1 has been running since"):
        RunLockless(desk).run(request("push", "WS221"))


class RunLockless(Desk):
    """A second process over the same desk."""

    def __init__(self, first: Desk) -> None:
        super().__init__(first.nodes.world, first.layout.root)
        self.lock = RunLock(first.lock.path)


def test_a_refused_request_leaves_nothing_behind(desk):
    with pytest.raises(BadRequest, match="WS230 is not staged"):
        desk.run(request("release", "WS230"))

    assert desk.lock.free()
    assert run.current() is None
    assert len(desk.ledger.runs(9)) == 2


def test_a_dry_run_locks_and_records_nothing(desk):
    before = desk.layout.ledger.read_bytes()
    plan = begin.dry(desk, request("release", "WS221"))

    assert plan.needs_pull and run.current().dry
    assert desk.lock.free() and not desk.lock.path.read_text()
    assert desk.layout.ledger.read_bytes() == before
    assert {function for _, function in desk.nodes.asked} == {"wb_node.observe"}


def test_a_step_that_ends_in_a_fault_of_ours_stops_the_run(desk, monkeypatch):
    monkeypatch.setattr(desk.nodes, "wb_disk_check", lambda node, datasets, parcels: {})

    with pytest.raises(StepFailed, match="KeyError: 'ok'; look at the log"):
        desk.run(request("release", "WS221"))
    steps = desk.ledger.steps(desk.ledger.runs(1)[0]["id"])
    assert [(step["step"], step["outcome"]) for step in steps] == [
        ("seal", "done"),
        ("check_contents", "done"),
        ("check_disk_space", "failed"),
    ]


def test_a_run_that_lost_its_master_is_left_to_the_supervisor(desk, monkeypatch):
    def lost(node, datasets, parcels):
        raise ConnectionError("stream closed")

    monkeypatch.setattr(desk.nodes, "wb_disk_check", lost)
    assert attempt(desk, request("release", "WS221")) == "failed"

    assert desk.ledger.unfinished()["kind"] == "release"
    assert desk.lock.free()


def test_a_node_whose_answer_was_lost_with_the_master_stops_nothing_for_good(desk, monkeypatch):
    def restarted(node, datasets, parcels):
        desk.wire.masters += 1
        raise StepFailed("it does not answer", "bring it back", node=node)

    with monkeypatch.context() as patched:
        patched.setattr(desk.nodes, "wb_disk_check", restarted)
        with pytest.raises(Interrupted, match="the master was started anew, and it does not ans"):
            desk.run(request("release", "WS221"))
    assert desk.ledger.unfinished()["kind"] == "release"

    assert attempt(desk, request("release", "WS221")) == "done"
    assert desk.live.same_content(release("WS221"))


# Runs that nobody starts by hand


@pytest.fixture
def started(monkeypatch):
    """The requests that were started as processes of their own."""
    started = []
    monkeypatch.setattr(launcher, "start", lambda office, asked, cause: started.append(asked))
    return started


def test_the_supervisor_takes_up_what_died(desk, started):
    assert supervisor.take_up(desk) == ""
    call = [f for _, f in _calls(desk, request("release", "WS221"))].index("wb_live.switch")
    assert attempt(desk, request("release", "WS221"), {call: KILL_BEFORE}) == "killed"

    assert supervisor.take_up(desk).endswith("was taken up")
    assert started == [request("release", "WS221")]


def test_the_supervisor_leaves_a_run_at_work_alone(desk, started):
    attempt(desk, request("release", "WS221"), {10: KILL_BEFORE})
    other = RunLockless(desk)
    other.lock.take({"run": "taken up already"})

    assert supervisor.take_up(desk) == ""
    other.lock.release()


def test_a_change_over_that_its_run_left_open_is_undone(desk, started, monkeypatch):
    call = [f for _, f in _calls(desk, request("release", "WS221"))].index("wb_live.switch")
    attempt(desk, request("release", "WS221"), {call + 1: KILL_BEFORE})
    desk.ledger.end_run(desk.ledger.unfinished()["id"], "failed", "it could not be taken up")
    # People come first.
    assert supervisor.take_up(desk) == "" and started == []

    monkeypatch.setattr(supervisor, "_LEFT_SECONDS", 0)
    assert supervisor.take_up(desk) and started == [request("rollback")]
    desk.run(started.pop())
    assert supervisor.take_up(desk) == "" and desk.ledger.known().switch is None
    assert desk.live.same_content(release("WS220")) and shown(desk) == {"WS220-0.02-1350"}
    assert sorted(desk.nodes.pool) == sorted(WEB) and desk.nodes.wrong == []


def test_a_change_over_that_can_not_be_undone_is_tried_later_each_time_and_told_once(
    desk, started, monkeypatch
):
    call = [f for _, f in _calls(desk, request("release", "WS221"))].index("wb_live.switch")
    attempt(desk, request("release", "WS221"), {call + 1: KILL_BEFORE})
    desk.ledger.end_run(desk.ledger.unfinished()["id"], "failed", "it could not be taken up")
    clock, tries = time.time() + 1000, []
    monkeypatch.setattr(supervisor.time, "time", lambda: clock)
    notify = Notify(mail=("ops@wormbase.org",))
    landing = dataclasses.replace(desk.settings.landing, notify=notify)
    desk.settings = dataclasses.replace(desk.settings, landing=landing)

    for _ in range(600):
        if supervisor.take_up(desk):
            tries.append(clock)
        clock += 1
    pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
    assert pauses[0] >= 30 and pauses == sorted(pauses) and pauses[-1] == 90
    assert started == [request("rollback")] * len(tries)
    assert [subject for subject, _ in desk.nodes.notices] == [
        "orch.rollback is not done, after 4 tries of the supervisor"
    ]


def test_what_died_when_all_was_done_is_taken_up_once(desk, started):
    asked = request("release", "WS221")
    attempt(desk, asked, {len(_calls(desk, asked)) - 1: KILL_AFTER})
    assert desk.ledger.unfinished()

    assert "already live" in desk.run(asked)
    assert supervisor.take_up(desk) == ""


def test_what_is_refused_when_it_is_taken_up_is_given_up_at_last(desk, started, monkeypatch):
    attempt(desk, request("release", "WS221"), {10: KILL_BEFORE})
    dead = desk.ledger.unfinished()["id"]
    desk.nodes.world.absent = ("wb-web1", "wb-web2", "wb-mining")
    monkeypatch.setenv("WORMBASE_CAUSE", "supervisor")
    monkeypatch.setattr(supervisor, "_PAUSE_SECONDS", 0)

    for _ in range(refusals.MOST):
        assert supervisor.take_up(desk) == f"{dead} was taken up"
        assert attempt(desk, request("release", "WS221")) == "failed"
    assert supervisor.take_up(desk) == ""
    ended = desk.ledger.run(dead)
    assert ended["outcome"] == "failed"
    assert "could not be taken up: only 1 of 4 web nodes answer" in ended["error"]
    assert desk.lock.free()


def test_what_comes_back_in_time_is_taken_up_after_refusals(desk, started, monkeypatch):
    attempt(desk, request("release", "WS221"), {10: KILL_BEFORE})
    monkeypatch.setenv("WORMBASE_CAUSE", "supervisor")
    desk.nodes.world.absent = ("wb-dev",)
    assert attempt(desk, request("release", "WS221")) == "failed"

    desk.nodes.world.absent = ()
    assert supervisor.take_up(desk)
    assert attempt(desk, request("release", "WS221")) == "done"
    assert desk.live.same_content(release("WS221"))


@pytest.mark.parametrize(("cause", "recorded"), [("landed", True), ("command", False)])
def test_a_refusal_is_recorded_when_nobody_sees_it(desk, monkeypatch, cause, recorded):
    monkeypatch.setenv("WORMBASE_CAUSE", cause)
    before = desk.ledger.runs(9)
    assert attempt(desk, request("release", "WS230")) == "failed"

    told = desk.ledger.runs(9)[: len(desk.ledger.runs(9)) - len(before)]
    assert bool(told) == recorded
    if recorded:
        assert (told[0]["outcome"], told[0]["cause"]) == ("failed", cause)
        assert "WS230 is not staged" in told[0]["error"]


# The run itself


def test_the_id_of_a_run_says_when_what_and_who():
    assert run.new_id(request("release", "WS221"), 0.0) == (
        f"19700101T000000-release-WS221-{os.getpid()}"
    )
    assert run.new_id(request("rollback"), 0.0) == f"19700101T000000-rollback-{os.getpid()}"


@pytest.mark.parametrize(
    ("given", "cause"),
    [(None, "command"), ("landed", "landed"), ("supervisor", "supervisor"), ("$(x)", "command")],
)
def test_cause_is_one_of_those_we_know(monkeypatch, given, cause):
    with contextlib.suppress(KeyError):
        monkeypatch.delenv("WORMBASE_CAUSE")
    if given:
        monkeypatch.setenv("WORMBASE_CAUSE", given)

    assert run.cause() == cause


def test_describe_names_who_holds_the_lock(monkeypatch):
    monkeypatch.setenv("SUDO_USER", "todd")
    holder = run.describe(request("purge", "WS219", local=True), "id")

    assert holder["who"] == "todd"
    assert holder["pid"] == os.getpid()
    assert (holder["run"], holder["request"]) == ("id", "orch.purge {build: WS219, local: True}")
    assert (holder["kind"], holder["pillar"]) == ("purge", {"build": "WS219", "local": True})


def test_the_build_of_a_run_is_none_where_there_is_none(desk):
    planned = desk.plan(request("push", "WS221"))
    assert planned.build == "WS221"

    desk.run(request("release", "WS221"))
    assert desk.plan(request("rollback")).build == "WS220"
