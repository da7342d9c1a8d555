"""Taking over a cluster that serves already: what is found, what is told, what goes on after."""

import datetime

import pytest
from cluster import World, digest, release, request, settings
from rehearsal import Desk, steps_of
from simulated_nodes import FAIL, KILL_AFTER, KILL_BEFORE, LOSE, Killed
from wbcore.errors import BadData, BadRequest, ReleaseError
from wbcore.events import Announcement
from wbcore.model import desired, landing
from wbcore.names import Build
from wbmaster import run
from wbmaster.unattended import landings, supervisor

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]
LIVE = release("WS220")
ADOPT = request("adopt")
TABLE = "mysql/c_elegans_WS220"


@pytest.fixture
def desk(room):
    """A cluster on which WS220 serves as old scripts left it."""
    world = World(settings())
    world.stage("WS219")
    world.stage("WS220")
    world.serve_unadopted(LIVE)
    desk = Desk(world, room / "desk")
    yield desk
    run.set_current(None)
    desk.wire.close()


def state(desk: Desk):
    """What must not change while nothing may be changed."""
    world = desk.nodes.world
    held = {node: dict(datasets) for node, datasets in world.held.items()}
    done = set(world.sealed), set(desk.nodes.carriers), set(world.unsettled)
    return desk.ledger.known(), held, *done


def untouched(desk: Desk) -> bool:
    """Whether nothing was restarted, moved, announced or removed."""
    functions = {function for _, function in desk.nodes.asked}
    return functions <= {
        "wb_node.observe",
        "saltutil.refresh_pillar",
        "wb_node.carry",
        "wb_node.settle",
        "wb_build.survey",
        "wb_build.seal",
        "wb_dataset.present",
        "wb_dataset.pull",
        "wb_dataset.adopt",
        "wb_live.heed",
    } and desk.nodes.told == {"mail": [], "post": []}


def adopted(desk: Desk) -> bool:
    """Whether every node holds all that is live on it, verified, and the ledger knows it."""
    world, record = desk.nodes.world, desk.ledger.known().releases[LIVE]
    held = all(world.held[node] == world.lying[node] for node in desk.settings.serving)
    return held and desk.live == LIVE and record.published and record.posted and record.mailed


def test_what_serves_is_live_by_the_ledger_and_counts_as_announced(desk):
    said = desk.run(ADOPT)

    assert adopted(desk) and untouched(desk)
    assert desk.nodes.wrong == []
    record = desk.ledger.known().releases[LIVE]
    assert (record.digest, record.build_digest) == (digest(str(LIVE)), digest("WS220"))
    # What was not rebuilt belongs to it as well.
    assert {"mysql/clustal_WS219", TABLE, f"webapp/{LIVE}"} <= set(record.datasets)
    assert "is live." not in said
    assert said.endswith(f"{LIVE} is adopted; docs/adopt.md has the line for nginx")
    figures = desk.ledger.runs(1)[0]["figures"]["verify_in_place"]
    assert figures["received"] == 0 and figures["bytes"] > 0


def test_the_proxy_is_only_looked_at_and_brought_to_its_states(desk):
    desk.run(ADOPT)

    asked = {function for node, function in desk.nodes.asked if node == "fe"}
    assert asked == {"wb_node.observe", "wb_node.settle"}


def test_a_second_time_nothing_is_left_to_do(desk):
    desk.run(ADOPT)
    before = state(desk)

    assert desk.run(ADOPT) == f"{LIVE} is adopted already; nothing to do."
    assert state(desk) == before
    assert len(desk.ledger.runs(9)) == 1


def test_a_dry_run_names_exactly_the_steps_that_will_change_something(desk):
    before = state(desk)
    told = desk.forecast(ADOPT)
    assert state(desk) == before and not desk.layout.ledger.exists()
    desk.run(ADOPT)

    assert {name for name, changes in told.items() if changes} == set(steps_of("adopt"))
    assert {name for name, changes in desk.changes.items() if changes} == set(steps_of("adopt"))
    assert told["verify_in_place"]["wb-gb1"] == "2 datasets would be read (2.0 kB)"


def test_nodes_are_brought_to_their_states_one_by_one_once_all_is_recorded_the_proxy_last(desk):
    seen, settle = [], desk.nodes.wb_node_settle
    desk.nodes.wb_node_settle = lambda node, test: (
        seen.append((node, desk.live)) or settle(node, test)
    )
    desk.run(ADOPT)

    assert {live for _, live in seen} == {LIVE} and seen[-1][0] == desk.settings.proxy
    assert sorted(node for node, _ in seen) == sorted(desk.settings.nodes)
    assert "nothing to do" in desk.run(ADOPT)


def test_a_node_whose_states_fail_is_named_and_the_same_command_goes_on_with_it(desk):
    real = desk.nodes._ask
    desk.nodes._ask = lambda node, function, kwargs: (
        type(real("wb-gb1", "test.ping", {}))(error="MariaDB runs: no such unit")
        if (node, function) == ("wb-web2", "wb_node.settle")
        else real(node, function, kwargs)
    )
    with pytest.raises(ReleaseError, match="wb-web2: MariaDB runs: no such unit; the site serves"):
        desk.run(ADOPT)
    assert desk.live == LIVE and "wb-web2" in desk.nodes.world.unsettled

    desk.nodes._ask = real
    desk.run(ADOPT)
    assert set(desk.changes["apply_states"]) >= {"wb-web2", desk.settings.proxy}
    assert desk.nodes.world.unsettled == set()


def test_a_node_that_lost_its_markers_is_read_again_and_nothing_else_is_done(desk):
    desk.run(ADOPT)
    lost = desk.nodes.world.held["wb-gb1"].pop(TABLE)
    told = desk.forecast(ADOPT)
    desk.run(ADOPT)

    assert {name for name, changes in told.items() if changes} == {"verify_in_place"}
    assert {name for name, changes in desk.changes.items() if changes} == {"verify_in_place"}
    assert list(desk.changes["verify_in_place"]) == ["wb-gb1"]
    assert desk.nodes.world.held["wb-gb1"][TABLE] == lost


def test_links_of_the_development_server_that_lead_to_the_next_build_do_not_matter(desk):
    databases, given = {"c_elegans": "c_elegans_WS220", "clustal": "clustal_WS219"}, []
    for function in ("wb_build_survey", "wb_build_seal"):
        real = getattr(desk.nodes, function)

        def noted(node, name="", build="", real=real, **how):
            given.append((name or build, how.get("databases")))
            return real(node, name or build, **how)

        setattr(desk.nodes, function, noted)
    desk.nodes.world.stage("WS221", "c_elegans", "clustal")
    desk.run(ADOPT)

    assert [one for one in given if one[0] == "WS220"] == [("WS220", databases)] * 2
    assert desk.ledger.known().releases[LIVE].databases == databases


def test_everything_that_disagrees_is_named_at_once_and_nothing_is_changed(desk):
    world = desk.nodes.world
    world.links["canopus"]["mysql/c_elegans"] = "c_elegans_WS219"
    world.links["wb-web2"]["production"] = str(release("WS219"))
    del world.links["wb-gb1"]["mysql/clustal"]
    world.absent = ("wb-mining",)
    before = state(desk)
    with pytest.raises(BadData) as caught:
        desk.run(ADOPT)

    for sentence in (
        "4 things are wrong",
        "wb-mining does not answer; every node is needed",
        "canopus: the link mysql/c_elegans leads to c_elegans_WS219, and belongs to c_elegans_WS2",
        f"wb-web2: the link production leads to {release('WS219')}, and belongs to {LIVE}",
        "wb-gb1: the link mysql/clustal is missing, and belongs to clustal_WS219, as elsewhere",
        "nothing was changed; fix it, and run the same command again",
    ):
        assert sentence in str(caught.value)
    world.absent = ()
    assert state(desk) == before


def test_a_build_that_the_development_server_does_not_have_is_refused(desk):
    del desk.nodes.world.builds["WS220"]
    with pytest.raises(BadData, match="wb-dev does not have WS220, which is live: copy acedb/wor"):
        desk.run(ADOPT)


def test_what_is_wrong_with_the_build_and_changed_since_it_was_sealed_is_refused(desk):
    survey = desk.nodes.wb_build_survey
    wrong = {"problems": ["mysql/x is odd"], "changed": ["mysql/y"], "sealed": "ab"}
    desk.nodes.wb_build_survey = lambda node, build, databases: {
        **survey(node, build, databases),
        **wrong,
        "databases": {},
    }
    with pytest.raises(BadData, match=r"3 things.*x is odd.*wb_build.unseal WS220.*mysql/y; rest"):
        desk.run(ADOPT)


def test_without_a_live_webapp_there_is_nothing_to_adopt(desk):
    for node in WEB:
        del desk.nodes.world.links[node]["production"]
    with pytest.raises(BadData, match="the link production of no web node leads to a release"):
        desk.run(ADOPT)


def test_what_the_ledger_calls_live_is_not_adopted_over(desk):
    desk.run(ADOPT)
    for node in WEB:
        desk.nodes.world.links[node]["production"] = str(release("WS220", 1351))
    with pytest.raises(BadData, match=f"{LIVE} is live by the ledger, and the nodes have"):
        desk.run(ADOPT)


def test_a_change_over_that_has_not_ended_comes_first(desk):
    desk.run(ADOPT)
    desk.ledger.begin_switch("died", LIVE, LIVE)
    with pytest.raises(BadData, match=r"the change-over to WS220-.* has not ended"):
        desk.run(ADOPT)


def spoil(desk: Desk) -> None:
    desk.nodes.world.lying["canopus"][TABLE] = "another"
    del desk.nodes.world.lying["wb-web2"]["support/WS220/ontology"]


def test_what_differs_is_named_for_all_nodes_and_the_rest_is_taken_over(desk):
    spoil(desk)
    with pytest.raises(BadData) as caught:
        desk.run(ADOPT)

    said = str(caught.value)
    assert f"canopus: {TABLE} differs in a, b, c, d, e and 2 more" in said
    assert "wb-web2: support/WS220/ontology differs in a, b" in said
    assert "orch.adopt pillar='{repair: True}'" in said
    assert desk.live is None and desk.nodes.world.lying["canopus"][TABLE] == "another"
    assert TABLE not in desk.nodes.world.held["canopus"]
    assert TABLE in desk.nodes.world.held["wb-web1"]
    assert untouched(desk) and desk.ledger.runs(1)[0]["outcome"] == "failed"


def test_repair_fetches_what_differs_alone(desk):
    spoil(desk)
    with pytest.raises(BadData):
        desk.run(ADOPT)
    desk.run(request("adopt", repair=True))

    assert desk.live == LIVE and untouched(desk)
    figures = desk.ledger.runs(1)[0]["figures"]["verify_in_place"]
    assert figures["received"] == 200
    assert figures["repaired"] == {"wb-web2": ["support/WS220/ontology"], "canopus": [TABLE]}
    # Only what was not taken over before was read again.
    assert figures["bytes"] == 2000


def test_what_nobody_sealed_is_named_and_left(desk):
    desk.nodes.strange["wb-web1"] = {TABLE}
    desk.run(ADOPT)

    assert adopted(desk)
    assert desk.ledger.runs(1)[0]["figures"]["verify_in_place"]["extra"] == {"wb-web1": [TABLE]}


def test_the_webapp_is_the_one_that_most_web_nodes_have_taken_from_near(desk):
    desk.nodes.world.lying["wb-web1"][f"webapp/{LIVE}"] = "edited"
    pulled = []
    pull = desk.nodes.wb_dataset_pull
    desk.nodes.wb_dataset_pull = lambda node, **order: (
        pulled.append((node, order["sources"])) or pull(node, **order)
    )
    with pytest.raises(BadData, match=f"wb-web1: webapp/{LIVE} differs"):
        desk.run(ADOPT)
    assert pulled == [("wb-dev", [{"node": "wb-web2", "address": "10.0.0.12"}])]

    # The development server has it now.
    desk.run(request("adopt", repair=True))
    assert len(pulled) == 1 and desk.live == LIVE


def test_a_webapp_that_no_node_can_seal_says_why(desk):
    seal = desk.nodes.wb_build_seal

    def fails(node, name, **how):
        if node != "wb-dev":
            raise AssertionError("not asked for the build")
        return seal(node, name, **how)

    desk.nodes.wb_build_seal = fails
    real = desk.nodes._ask
    desk.nodes._ask = lambda node, function, kwargs: (
        type(real("wb-gb1", "test.ping", {}))(error="a link leaves it")
        if function == "wb_build.seal" and node in WEB
        else real(node, function, kwargs)
    )
    with pytest.raises(ReleaseError, match="wb-web1: a link leaves it; nothing that serves"):
        desk.run(ADOPT)


def test_nodes_without_a_carrier_are_named_at_once(desk):
    real = desk.nodes._ask
    desk.nodes._ask = lambda node, function, kwargs: (
        type(real("wb-gb1", "test.ping", {}))(error="no package")
        if function == "wb_node.carry" and node in ("wb-web1", "canopus")
        else real(node, function, kwargs)
    )
    with pytest.raises(
        ReleaseError, match=r"2 things are wrong: \(1\) wb-web1: no package \(2\) can"
    ):
        desk.run(ADOPT)


# Trouble


@pytest.mark.parametrize("trouble", [FAIL, LOSE, KILL_BEFORE, KILL_AFTER])
@pytest.mark.parametrize("differs", [False, True])
def test_whatever_happens_the_same_command_ends_it(desk, room, trouble, differs):
    if differs:
        spoil(desk)
    asked = request("adopt", repair=True)
    probe = desk.again(room / "probe")
    probe.run(asked)
    calls = len(probe.nodes.asked)
    assert calls > 20
    for call in range(calls):
        twin = desk.again(room / str(call))
        try:
            twin.run(asked, {call: trouble})
            outcome = "done"
        except Killed:
            outcome = "killed"
        except ReleaseError:
            outcome = "failed"
        where = f"{trouble}: {probe.nodes.asked[call]}, {outcome}"
        assert twin.nodes.wrong == [] and untouched(twin), where
        assert twin.lock.free() and run.current() is None, where
        if outcome == "done":
            assert twin.live == LIVE, where
        twin.run(asked)
        assert twin.live == LIVE and twin.nodes.wrong == [], where
        assert twin.ledger.unfinished() is None, where
        assert [one["release"] for one in twin.ledger.lives()] == [str(LIVE)], where
        twin.wire.close()


def test_a_crash_while_the_ledger_learns_it_leaves_nothing_half_known(desk, monkeypatch):
    for written in ("record_release", "mark", "pass_switch"):
        with monkeypatch.context() as patch:
            patch.setattr(desk.ledger, written, lambda *_: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                desk.run(ADOPT)
        assert desk.live is None
    desk.run(ADOPT)
    assert adopted(desk)


def landing_of(desk: Desk, build: str):
    return next((one for one in desk.ledger.landings() if str(one.build) == build), None)


def test_the_supervisor_takes_up_a_takeover_that_died(desk):
    asked = request("adopt", repair=True)
    with pytest.raises(Killed):
        desk.run(asked, {20: KILL_BEFORE})

    assert supervisor.request_of(desk.ledger.unfinished()) == asked


# Afterwards


@pytest.fixture
def after(desk):
    """The cluster after it was adopted, with the proxy as its states set it."""
    desk.run(ADOPT)
    desk.nodes.pool = list(WEB)
    return desk


def test_the_landing_of_what_is_live_starts_nothing(after):
    landings.answer(after, [Announcement(Build(220), "landed", "wb-dev")])

    row = landing_of(after, "WS220")
    assert (row.state, row.answer) == (landing.ANSWERED, f"{LIVE} is live already")


def test_states_enforce_what_was_adopted(after):
    known = after.ledger.known()
    told = desired.of_node(after.settings, known, "wb-gb1")

    assert told["release"] == str(LIVE)
    assert told["links"] == after.nodes.world.links["wb-gb1"]
    assert set(told["datasets"]) == set(after.nodes.world.held["wb-gb1"])
    assert told["going_live"] is False and told["epoch"] == after.nodes.epochs["wb-gb1"]


def test_the_same_release_has_nothing_to_do_and_there_is_no_way_back(after):
    assert "already live; nothing to do" in after.run(request("release", "WS220"))
    with pytest.raises(BadRequest, match="there is no release to go back to"):
        after.run(request("rollback"))
    assert after.nodes.told == {"mail": [], "post": []}


def test_the_next_release_goes_live_and_back_as_ever(after):
    after.nodes.world.stage("WS221")
    after.run(request("release", "WS221"))
    assert after.live.same_content(release("WS221"))
    assert [name[:5] for name in after.nodes.told["mail"]] == ["WS221"]
    after.run(request("rollback"))

    assert after.live == LIVE and after.nodes.wrong == []
    assert {after.nodes.version(node)["release"] for node in after.nodes.pool} == {str(LIVE)}


def test_the_names_of_old_scripts_are_read(room):
    old = World(settings())
    old.stage("WS220")
    live = release("WS220", 1300)
    live = type(live)(live.build, datetime.date(2010, 11, 1), live.webapp, live.revision)
    old.serve_unadopted(live)
    desk = Desk(old, room / "old")
    desk.run(ADOPT)

    assert str(desk.live) == "WS220-2010.11.01-0.02-1300"
    desk.wire.close()
