"""The steps of a run: what each would do, does, and says when it can not."""

import dataclasses
import importlib

import pytest
from cluster import World, request, settings
from rehearsal import Desk, staged, steps_of
from wbcore.errors import Away, BadRequest, ReleaseError, StepFailed
from wbmaster import run
from wbmaster.nodes.fleet import Answer
from wbmaster.steps import STEPS, step

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


@pytest.fixture(scope="module")
def before_paged(memory):
    """The same, going live behind the maintenance page."""
    world = World(settings(golive={"way": "maintenance"}))
    return staged(world, memory / "paged", "WS219", "WS220", "WS221")


@pytest.fixture
def paged(before_paged, memory, request):
    """A desk of its own for each test."""
    desk = before_paged.again(memory / str(id(request)))
    yield desk
    run.set_current(None)
    desk.wire.close()


def newer(desk: Desk) -> None:
    """Somebody has committed to the webapp."""
    desk.nodes.world.webapp.update(revision=1351, tip=1351)


def fails(desk: Desk, asked, **answers) -> str:
    """What a run says that meets these answers of nodes: function → answer."""
    for function, answer in answers.items():
        setattr(desk.nodes, function, lambda node, answer=answer, **_: answer)
    with pytest.raises(StepFailed) as caught:
        desk.run(asked)
    return str(caught.value)


@pytest.mark.parametrize("name", STEPS)
def test_every_step_says_in_its_docstring_what_it_is(name):
    module = importlib.import_module(f"wbmaster.steps.{name}")

    assert module.__doc__
    assert step(name).take is not step(name).forecast


def test_a_step_that_does_not_exist_is_an_error():
    with pytest.raises(KeyError, match="format_disks"):
        step("format_disks")


# A dry run tells the truth


def _after_release(desk):
    desk.run(request("release", "WS221"))


def _after_push(desk):
    desk.run(request("push", "WS221"))


def _after_golive(desk):
    _after_push(desk)
    desk.run(request("golive", "WS221"))


def _after_two_releases(desk):
    # Retention has something to remove then.
    _after_release(desk)
    desk.nodes.world.stage("WS222")


def _after_minor(desk):
    _after_release(desk)
    newer(desk)


def _after_a_node_was_away(desk):
    desk.nodes.world.absent = ("wb-web2",)
    _after_release(desk)
    desk.nodes.world.absent = ()


@pytest.mark.parametrize(
    ("prepare", "asked"),
    [
        (None, request("release", "WS221")),
        (None, request("push", "WS221")),
        (None, request("rollback")),
        (None, request("purge", "WS218")),
        (_after_release, request("purge", "WS219")),
        (_after_two_releases, request("release", "WS222")),
        (_after_push, request("golive", "WS221")),
        (_after_push, request("release", "WS221")),
        (_after_golive, request("release", "WS221")),
        (_after_golive, request("announce", "WS221")),
        (_after_release, request("rollback")),
        (_after_minor, request("release", "WS221", minor=True)),
        (_after_a_node_was_away, request("release", "WS221")),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
@pytest.mark.parametrize("way", ["desk", "paged"])
def test_a_dry_run_names_exactly_the_steps_that_will_change_something(request, way, prepare, asked):
    desk = request.getfixturevalue(way)
    if prepare:
        prepare(desk)
    told = desk.forecast(asked)
    desk.run(asked)

    would = {name for name, changes in told.items() if changes}
    did = {name for name, changes in desk.changes.items() if changes}
    assert would == did
    assert set(desk.changes) == set(steps_of(asked.kind))


def test_a_dry_run_asks_nothing_that_changes_anything(desk):
    world = desk.nodes.world
    held = {node: dict(datasets) for node, datasets in world.held.items()}
    desk.nodes.asked.clear()
    desk.forecast(request("release", "WS221"))
    desk.forecast(request("purge", "WS218"))

    assert world.held == held and "WS221" not in world.sealed
    assert {function for _, function in desk.nodes.asked} <= {
        "wb_node.observe",
        "wb_disk.check",
        "wb_dataset.found",
        "wb_build.inspect",
        "wb_contents.measure",
    }


# What each step does


def test_seal_tells_the_digest_once(desk):
    desk.run(request("push", "WS221"))
    assert desk.changes["seal"] == {"WS221": "sha256 of WS221"}

    del desk.nodes.world.held["canopus"]["acedb/wormbase_WS221"]
    desk.run(request("push", "WS221"))
    assert desk.changes["seal"] == {}


def test_after_sealing_a_dataset_of_the_right_name_and_other_content_is_fetched(desk):
    desk.nodes.world.held["canopus"]["acedb/wormbase_WS221"] = "sha256 of something else"
    desk.run(request("push", "WS221"))

    assert "acedb/wormbase_WS221" in desk.changes["push_acedb"]["canopus"]
    assert desk.nodes.world.held["canopus"]["acedb/wormbase_WS221"] == (
        "sha256 of acedb/wormbase_WS221"
    )


def test_disk_space_is_asked_of_each_node_for_what_it_lacks(desk):
    asked = {}
    desk.nodes.wb_disk_check = lambda node, datasets, parcels: (
        asked.update({node: set(datasets)}) or {"ok": True}
    )
    desk.run(request("push", "WS221"))

    assert asked["wb-gb1"] == {"mysql/c_elegans_WS221"}
    assert "support/WS221/blast" in asked["wb-mining"]
    assert "support/WS221/blast" not in asked["wb-web1"]


def test_a_full_disk_stops_before_anything_is_copied_and_names_what_could_go(desk):
    desk.nodes.disks["wb-web2"] = 9_000
    with pytest.raises(StepFailed) as caught:
        desk.run(request("release", "WS221"))

    assert str(caught.value) == (
        "wb-web2: the disk of acedb, mysql, support, webapp needs 3.0 kB for WS221 and the "
        "headroom, has 0 B, a purge could free 0 B: short of 3.0 kB; make room there, or see "
        "wormbase:retention, and run the same command again"
    )
    assert "wb_dataset.pull" not in {function for _, function in desk.nodes.asked}


def test_databases_are_pushed_kind_by_kind(desk):
    desk.run(request("push", "WS221"))

    assert set(desk.changes["push_acedb"]) == set(WEB)
    assert set(desk.changes["push_mysql"]) == {*WEB, "wb-gb1"}
    assert set(desk.changes["push_support"]["wb-mining"]) == {
        "support/WS221/blast",
        "support/WS221/ontology",
    }


def test_figures_of_a_push_are_those_of_the_wire(desk):
    desk.run(request("push", "WS221"))
    figures = desk.ledger.runs(1)[0]["figures"]["push_mysql"]

    finished = figures.pop("finished")
    assert len(finished) == 5 and all(0 <= seconds < 60 for seconds in finished.values())
    once = {"local": 1000, "remote": 1000}
    entered = {"local": 100, "remote": 100}
    assert figures == {"received": 500, "entered": entered, "unpacked": once, "bytes": 5000}


def test_a_source_that_waits_for_nobody_is_a_node_that_has_it(desk):
    orders = []
    pull = desk.nodes.wb_dataset_pull
    desk.nodes.wb_dataset_pull = lambda node, **order: (
        orders.append((node, order)) or pull(node, **order)
    )
    del desk.nodes.world.held["wb-web1"]["acedb/wormbase_WS220"]
    # WS220 is live and sealed: asked for again, only what got lost is fetched.
    desk.run(request("release", "WS220"))
    ((node, order),) = orders

    assert node == "wb-web1"
    assert (order["name"], order["digest"]) == ("WS220", "sha256 of WS220")
    assert [source["node"] for source in order["sources"]] == ["wb-web2", "wb-dev"]
    assert order["sources"][0]["address"] == "10.0.0.12"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            {"answers": {"/": {"status": 500, "seconds": 1, "said": "no AceDB"}}, "version": {}},
            "/ answers 500: no AceDB",
        ),
        (
            {
                "answers": {"/": {"status": 200, "seconds": 1}},
                "version": {"release": "WS200-2009.01.01-0.01-1"},
            },
            "shows WS200-2009.01.01-0.01-1",
        ),
    ],
)
def test_a_bad_preflight_stops_before_anything_is_switched(desk, answer, says):
    said = fails(desk, request("release", "WS221"), wb_webapp_preflight=answer)

    assert said.startswith("wb-web1: ") and says in said
    assert "nothing has changed on the site" in said
    functions = {function for _, function in desk.nodes.asked}
    assert not functions & {"wb_proxy.maintain", "wb_live.switch"}
    assert str(desk.live.build) == "WS220"


def test_a_table_that_a_node_can_not_open_stops_before_anything_is_switched(desk):
    real = desk.nodes.wb_mysql_examine

    def examine(node, databases):
        faults = {"wb-gb1": {"c_elegans_WS221.ar": "Index is corrupt", "clustal_WS220.x": "gone"}}
        return {**real(node, databases), "faults": faults.get(node, {})}

    desk.nodes.wb_mysql_examine = examine
    with pytest.raises(ReleaseError) as caught:
        desk.run(request("release", "WS221"))
    said = str(caught.value)
    assert "wb-gb1: c_elegans_WS221.ar (Index is corrupt), wb-gb1: clustal_WS220.x (gone)" in said
    assert "nothing has changed on the site" in said
    functions = {function for _, function in desk.nodes.asked}
    assert not functions & {"wb_webapp.preflight", "wb_proxy.maintain", "wb_live.switch"}
    assert str(desk.live.build) == "WS220"


def test_every_mysql_node_opens_the_new_tables(desk):
    desk.run(request("release", "WS221"))
    asked = {node for node, function in desk.nodes.asked if function == "wb_mysql.examine"}
    assert asked == {*WEB, "wb-gb1"}
    assert set(desk.ledger.runs(1)[0]["figures"]["push_webapp"]["tables"]) == asked


def test_a_dry_run_tells_all_that_is_wrong_with_the_tables(desk):
    desk.nodes.wb_build_inspect = lambda node, build: {"problems": ["a; run A", "b; run B"]}
    with pytest.raises(ReleaseError) as caught:
        desk.forecast(request("release", "WS221"))
    assert "2 things are wrong: (1) a; run A (2) b; run B; fix WS221" in str(caught.value)


def test_the_webapp_is_brought_to_web_nodes_alone(desk):
    desk.run(request("release", "WS221"))

    assert set(desk.changes["push_webapp"]) == set(WEB)
    assert not any(name.startswith("webapp/") for name in desk.nodes.world.held["wb-gb1"])


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"release": "WS200-2009.01.01-0.01-1"}, 200, "it does not serve the release"),
        ("", 502, "can not learn what it serves: its report answers 502"),
        ({"error": "Starman is gone"}, 503, "can not learn what it serves: Starman is gone"),
    ],
)
def test_a_wrong_answer_through_the_proxy_puts_the_site_back(desk, body, status, says):
    answers = {node: {"status": status, "seconds": 1, "body": body} for node in WEB}
    said = fails(desk, request("release", "WS221"), wb_proxy_reports=answers)

    assert says in said and "the site was put back" in said
    assert str(desk.live.build) == "WS220"
    assert desk.nodes.lease is None
    assert {desk.nodes.version(node)["release"][:5] for node in desk.nodes.pool} == {"WS220"}


def test_a_release_tells_the_seconds_of_its_window(paged):
    desk = paged
    desk.run(request("release", "WS221"))

    assert desk.ledger.runs(1)[0]["figures"]["return_to_service"]["window"] >= 0


def test_a_minor_revision_is_neither_published_nor_announced(desk):
    _after_minor(desk)
    desk.run(request("release", "WS221", minor=True))

    quiet = ("seal", "copy_reference", "publish_software", "post_blog", "send_mail")
    assert {name: desk.changes[name] for name in quiet} == {name: {} for name in quiet}
    switched = {**desk.changes["canary"], **desk.changes["return_to_service"]}
    assert switched == {node: {"production": str(desk.live)} for node in WEB}


def test_what_is_live_again_after_going_back_is_the_reference_copy_again(desk):
    for asked in (request("release", "WS221"), request("rollback"), request("release", "WS221")):
        desk.run(asked)
        assert desk.changes["copy_reference"] == {"reference copy": str(desk.live)}


def test_a_way_back_refreshes_the_reference_copy(desk):
    desk.run(request("rollback"))

    assert desk.changes["copy_reference"] == {"reference copy": str(desk.live)}
    assert desk.live.build.number == 219


def test_a_way_back_does_not_fail_for_want_of_the_reference_copy(desk):
    desk.nodes.world.absent = ("wb-dev",)
    desk.run(request("rollback"))

    assert desk.live.build.number == 219 and desk.changes["copy_reference"] == {}
    assert desk.ledger.known().going_back is None
    assert desk.ledger.runs(1)[0]["outcome"] == "done"


def test_two_ways_back_in_a_row_need_no_development_server(desk):
    desk.run(request("release", "WS221"))
    desk.nodes.world.absent = ("wb-dev",)
    for build in (220, 219):
        desk.run(request("rollback"))
        assert desk.live.build.number == build
        assert desk.ledger.runs(1)[0]["outcome"] == "done"


@pytest.fixture
def current(desk):
    """What ``current.tgz`` was made to lead to, one after the other."""
    current, real = [], desk.nodes.wb_software_publish

    def publish(node, release):
        current.append(release)
        return real(node, release)

    desk.nodes.wb_software_publish = publish
    return current


def test_the_current_software_is_what_is_live_back_and_forth(desk, current):
    for asked in (request("release", "WS221"), request("rollback"), request("release", "WS221")):
        foretold = desk.forecast(asked)["publish_software"]
        desk.run(asked)
        assert current.pop() == str(desk.live) and current == []
        assert str(desk.live) in desk.changes["publish_software"]["software release"]
        assert foretold == {"software release": str(desk.live)}


def test_the_way_back_to_a_minor_revision_makes_its_release_current(desk, current):
    desk.run(request("release", "WS221"))
    published = str(desk.live)
    newer(desk)
    desk.run(request("release", "WS221", minor=True))
    desk.nodes.world.stage("WS222")
    desk.run(request("release", "WS222"))
    current.clear()

    desk.run(request("rollback"))
    assert str(desk.live) != published and current == [published]
    assert not desk.ledger.known().releases[desk.live].published


@pytest.fixture
def tagged(desk):
    """The releases whose tag was asked for, where the pillar wants tags."""
    tagged, real = [], desk.nodes.wb_webapp_tag
    webapp = dataclasses.replace(desk.settings.webapp, tag=True)
    desk.settings = desk.nodes.world.settings = dataclasses.replace(desk.settings, webapp=webapp)

    def tag(node, release):
        tagged.append((node, release))
        return real(node, release)

    desk.nodes.wb_webapp_tag = tag
    return tagged


def test_a_major_release_is_tagged_once_and_a_minor_revision_is_not(desk, tagged):
    foretold = desk.forecast(request("release", "WS221"))["publish_software"]
    desk.run(request("release", "WS221"))
    assert tagged == [("wb-dev", str(desk.live))]
    assert foretold["tag"] == desk.changes["publish_software"]["tag"] == str(desk.live)
    newer(desk)
    desk.run(request("release", "WS221", minor=True))
    desk.run(request("rollback"))
    assert len(tagged) == 1


def test_a_release_that_is_live_does_not_fail_for_its_tag(desk, tagged):
    ask = desk.nodes._ask

    def full(node, asked, kwargs):
        return Answer(error="no space") if asked == "wb_webapp.tag" else ask(node, asked, kwargs)

    desk.nodes._ask = full
    desk.run(request("release", "WS221"))
    assert desk.ledger.runs(1)[0]["outcome"] == "done"
    assert "not made: " in desk.changes["publish_software"]["tag"]
    assert desk.ledger.known().releases[desk.live].published


def test_no_tag_is_made_unless_the_pillar_says_so(desk):
    desk.run(request("release", "WS221"))
    assert "tag" not in desk.changes["publish_software"]


@pytest.mark.parametrize("function", ["wb_software.reference", "wb_software.publish"])
def test_a_way_back_does_not_fail_for_what_people_are_shown(desk, current, function):
    ask = desk.nodes._ask

    def full(node, asked, kwargs):
        return Answer(error="no space left") if asked == function else ask(node, asked, kwargs)

    desk.nodes._ask = full
    desk.run(request("rollback"))

    assert desk.live.build.number == 219 and desk.ledger.runs(1)[0]["outcome"] == "done"
    assert current == ([] if function == "wb_software.publish" else [str(desk.live)])


def test_a_database_that_moves_before_the_seal_is_released_as_it_was_sealed(desk):
    real = desk.nodes.wb_build_seal

    def seal(node, **asked):
        if asked["name"] == "WS221":
            desk.nodes.world.builds["WS221"]["clustal"] = "clustal_WS221"
        return real(node, **asked)

    desk.nodes.wb_build_seal = seal
    desk.run(request("release", "WS221"))

    links = {node: desk.nodes.world.links[node]["mysql/clustal"] for node in WEB}
    assert links == dict.fromkeys(WEB, "clustal_WS221")
    assert desk.ledger.known().releases[desk.live].databases["clustal"] == "clustal_WS221"


@pytest.mark.parametrize("nonsense", [None, [], "up", {"mysql": ["c_elegans"]}])
def test_a_web_node_that_answers_nonsense_keeps_nobody_from_going_back(desk, nonsense):
    real = desk.nodes.wb_node_observe

    def observe(node, build):
        told = real(node, build)
        return {**told, "version": nonsense} if node == "wb-web2" else told

    desk.nodes.wb_node_observe = observe
    desk.run(request("rollback"))

    assert desk.live.build.number == 219


@pytest.mark.parametrize("observed", [None, "up", {"held": None}, {"links": ["acedb"]}])
def test_a_node_that_can_not_tell_what_it_holds_is_left_out(desk, observed):
    real = desk.nodes.wb_node_observe
    desk.nodes.wb_node_observe = lambda node, build: (
        observed if node == "wb-web2" else real(node, build)
    )
    said = desk.run(request("rollback"))

    assert desk.live.build.number == 219
    assert "left out: wb-web2" in said
    assert "wb-web2" not in desk.nodes.pool


def test_purge_says_what_went_and_what_stayed_and_why(desk):
    _after_release(desk)
    # Retention has kept WS219 as the newest of the old ones.
    desk.run(request("purge", "WS219"))
    purged = desk.changes["purge_build"]

    assert purged["removed"]["wb-web1"] == 4000
    assert "acedb/wormbase_WS219" not in desk.nodes.world.held["wb-web1"]
    assert list(purged["kept"]) == ["mysql/clustal_WS219"]
    assert "uses it (it is live)" in purged["kept"]["mysql/clustal_WS219"]


def test_purge_on_the_development_server_asks_it_alone(desk):
    _after_release(desk)
    desk.run(request("purge", "WS219", local=True))

    purging = {node for node, function in desk.nodes.asked if function == "wb_dataset.found"}
    assert purging == {"wb-dev"}


def test_purge_of_what_is_gone_changes_nothing(desk):
    _after_release(desk)
    desk.run(request("purge", "WS219"))
    desk.run(request("purge", "WS219"))

    assert desk.changes["purge_build"] == {}


# Without anybody noticing


def test_half_of_the_nodes_go_first_and_the_others_serve_meanwhile(desk):
    pools = []

    def ask(node, path, nodes, measure, real=desk.nodes.wb_proxy_ask):
        pools.append((path, list(desk.nodes.pool), list(nodes)))
        return real(node, path, nodes, measure)

    desk.nodes.wb_proxy_ask = ask
    desk.run(request("release", "WS221"))

    compared = [(path, pool, nodes) for path, pool, nodes in pools if len(nodes) == 4]
    assert [path for path, _, _ in compared] == list(settings().golive.canary_paths)
    assert {tuple(pool) for _, pool, _ in compared} == {("wb-web1", "wb-mining")}
    assert desk.nodes.lease is None and sorted(desk.nodes.pool) == sorted(WEB)
    # Each of the three releases has changed the pool that serves.
    assert desk.nodes.live_pool == "b"


def answering(desk, node, **changes):
    """Have one node answer the front page in another way through the proxy."""
    real = desk.nodes.wb_proxy_ask

    def ask(proxy, path, nodes, measure):
        answers = real(proxy, path, nodes, measure)
        if path == "/" and node in answers:
            answers[node] = {**answers[node], **changes}
        return answers

    desk.nodes.wb_proxy_ask = ask


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"status": 500}, "answers 500 instead of 200"),
        ({"seconds": 9.0}, "takes 9.0 s instead of 0.1 s"),
    ],
)
def test_what_the_canary_shows_stops_the_release_before_the_site_moves(desk, changes, says):
    live = str(desk.live)
    answering(desk, "canopus", **changes)
    said = fails(desk, request("release", "WS221"))

    assert said.startswith("canopus: / of WS221-") and says in said
    assert "the site has not moved" in said and "canary_paths" in said
    assert str(desk.live) == live
    assert sorted(desk.nodes.pool) == sorted(WEB)
    assert {desk.nodes.version(node)["release"] for node in WEB} == {live}
    # Those that served were never touched, nor was the flag.
    touched = {node for node, function in desk.nodes.asked if function == "wb_live.switch"}
    assert touched == {"wb-web2", "canopus", "wb-gb1"}
    assert "wb_proxy.change_over" not in {function for _, function in desk.nodes.asked}


def test_a_way_back_is_not_measured_by_what_it_leaves(desk):
    desk.run(request("release", "WS221"))
    answering(desk, "wb-web1", status=500)
    desk.run(request("rollback"))

    assert str(desk.live.build) == "WS220"
    assert "wb_proxy.watch" not in {function for _, function in desk.nodes.asked}


def test_too_many_failures_bring_the_site_back_at_once(desk):
    live = str(desk.live)
    counted = {"before": {"answers": 1000, "errors": 0}, "after": {"answers": 50, "errors": 9}}
    said = fails(desk, request("release", "WS221"), wb_proxy_watch={**counted, "bad": True})

    assert "9 of 50 requests failed with WS221-" in said and "the site went back" in said
    assert str(desk.live) == live and desk.ledger.known().switch is None
    functions = [function for _, function in desk.nodes.asked]
    # The half that had not moved serves again by the flag alone, before anybody is switched.
    back = len(functions) - functions[::-1].index("wb_proxy.change_over")
    assert functions.count("wb_proxy.change_over") == 2
    assert functions[back:].count("wb_live.switch") == 3
    assert {desk.nodes.version(node)["release"] for node in WEB} == {live}


def test_a_node_that_fails_after_the_site_has_moved_stays_out_and_stops_nothing(desk):
    def switch(node, links, run, before, real=desk.nodes.wb_live_switch):
        answer = real(node, links, run, before)
        if node == "wb-mining":
            answer["version"] = {"error": "Starman does not answer"}
        return answer

    desk.nodes.wb_live_switch = switch
    said = desk.run(request("release", "WS221"))

    assert "left out: wb-mining" in said and said.endswith("is live.")
    assert sorted(desk.nodes.pool) == ["canopus", "wb-web1", "wb-web2"]


def test_a_run_whose_proxy_dies_in_it_says_that_it_waits(desk):
    def reports(node, nodes):
        desk.nodes.world.absent = ("fe",)
        return {}

    desk.nodes.wb_proxy_reports = reports
    with pytest.raises(Away, match="no answer from fe, without which it can not go") as caught:
        desk.run(request("release", "WS221"))

    assert str(caught.value).endswith("; bring it back; the run goes on by itself then")
    assert "was put back" not in str(caught.value) and desk.ledger.known().switch


def test_a_site_that_can_not_be_put_back_is_said_to_be_so(desk):
    real, answers = desk.nodes._ask, {"answers": 1000, "errors": 0}
    desk.nodes.wb_proxy_watch = lambda node, seconds, percent: {
        **{"before": answers, "after": {**answers, "errors": 900}},
        "bad": True,
    }
    desk.nodes._ask = lambda node, function, kwargs: (
        Answer(error="HAProxy is broken")
        if function == "wb_proxy.reports" and desk.ledger.known().switch and desk.nodes.downloads
        else real(node, function, kwargs)
    )
    with pytest.raises(StepFailed) as caught:
        desk.run(request("release", "WS221"))

    assert "the site could not be put back: fe: HAProxy is broken; the superv" in str(caught.value)
    assert desk.ledger.known().switch


def lack(desk, dataset, *nodes):
    """Nodes that never had a dataset."""
    for node in nodes:
        desk.nodes.world.held[node].pop(dataset)


@pytest.mark.parametrize("pooled", [WEB, ["wb-mining", "canopus"]])
def test_who_can_not_go_back_serves_until_the_site_does(desk, pooled):
    lack(desk, "acedb/wormbase_WS219", "wb-mining", "canopus")
    desk.nodes.pool, serving = list(pooled), []

    def switch(node, real=desk.nodes.wb_live_switch, **order):
        serving.append(list(desk.nodes.pool))
        return real(node, **order)

    desk.nodes.wb_live_switch = switch
    said = desk.run(request("rollback"))

    assert {"wb-mining", "canopus"} <= set(serving[0])
    assert "left out: wb-mining, canopus" in said
    assert sorted(desk.nodes.pool) == ["wb-web1", "wb-web2"] and desk.nodes.wrong == []


def test_of_who_lacks_databases_it_is_told_when_nothing_is_to_do(desk):
    lack(desk, "acedb/wormbase_WS220", "wb-mining")
    desk.nodes.pool = [node for node in WEB if node != "wb-mining"]
    said = desk.run(request("release", "WS220", minor=True))

    assert "is already live; nothing to do." in said
    assert "left out, since they lack databases of it: wb-mining" in said


def test_a_build_that_was_sealed_anew_does_not_go_live_without_its_new_bytes(desk):
    desk.run(request("push", "WS221"))
    desk.nodes.world.sealed.discard("WS221")

    def seal(node, name, run, real=desk.nodes.wb_build_seal):
        sealed = real(node, name, run)
        if name == "WS221":
            sealed["datasets"]["acedb/wormbase_WS221"] = {"files": 1, "bytes": 9, "digest": "new"}
        return sealed

    desk.nodes.wb_build_seal = seal
    with pytest.raises(BadRequest, match=r"WS221 is not complete on .*acedb/wormbase_WS221"):
        desk.run(request("golive", "WS221"))
    assert str(desk.live).startswith("WS220-") and desk.ledger.known().switch is None


def test_one_web_node_alone_goes_live_behind_the_page(desk):
    desk.nodes.world.absent = ("wb-web2", "canopus", "wb-mining")
    desk.settings = desk.nodes.world.settings = settings(golive={"quorum_percent": 25})
    desk.run(request("release", "WS221"))

    assert "wb_proxy.maintain" in {function for _, function in desk.nodes.asked}
    assert desk.nodes.pool == ["wb-web1"]
