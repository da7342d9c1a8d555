"""The steps of a run: what each would do, does, and says when it can not."""

import importlib

import pytest
from cluster import World, request, settings
from rehearsal import Desk, staged, steps_of
from wbcore.errors import StepFailed
from wbmaster.steps import STEPS, step

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


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
    module = importlib.import_module(f"wbmaster.steps.{STEPS[name]}")

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
    ids=str,
)
def test_a_dry_run_names_exactly_the_steps_that_will_change_something(desk, prepare, asked):
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
    desk.nodes.wb_disk_check = lambda node, datasets: (
        asked.update({node: set(datasets)}) or {"ok": True, "problems": [], "purgeable": {}}
    )
    desk.run(request("push", "WS221"))

    assert asked["wb-gb1"] == {"mysql/c_elegans_WS221"}
    assert "support/WS221/blast" in asked["wb-mining"]
    assert "support/WS221/blast" not in asked["wb-web1"]


def test_a_full_disk_stops_before_anything_is_copied_and_names_what_could_go(desk):
    room = {"ok": False, "problems": ["the disk lacks 5 MB"], "purgeable": {"acedb/x": 7_000_000}}
    said = fails(desk, request("release", "WS221"), wb_disk_check=room)

    assert "the disk lacks 5 MB" in said and "7.0 MB" in said
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

    assert figures == {"received": 500, "entered": {"local": 100, "remote": 100}, "bytes": 5000}


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
            {"answers": {"/version": {"status": 500, "seconds": 1}}, "version": {}},
            "/version answers 500",
        ),
        (
            {
                "answers": {"/version": {"status": 200, "seconds": 1}},
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


def test_the_webapp_is_brought_to_web_nodes_alone(desk):
    desk.run(request("release", "WS221"))

    assert set(desk.changes["stage_webapp"]) == set(WEB)
    assert not any(name.startswith("webapp/") for name in desk.nodes.world.held["wb-gb1"])


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"release": "WS200-2009.01.01-0.01-1"}, 200, "it does not serve the release"),
        ("", 502, "/version answers 502 through the proxy"),
    ],
)
def test_a_wrong_answer_through_the_proxy_puts_the_site_back(desk, body, status, says):
    answers = {node: {"status": status, "seconds": 1, "body": body} for node in WEB}
    said = fails(desk, request("release", "WS221"), wb_proxy_ask=answers)

    assert says in said and "the site was put back" in said
    assert str(desk.live.build) == "WS220"
    assert desk.nodes.lease is None
    assert {desk.nodes.version(node)["release"][:5] for node in desk.nodes.pool} == {"WS220"}


def test_a_release_tells_the_seconds_of_its_window(desk):
    desk.run(request("release", "WS221"))

    assert desk.ledger.runs(1)[0]["figures"]["maintenance_off"]["window"] >= 0


def test_a_minor_revision_is_neither_published_nor_announced(desk):
    _after_minor(desk)
    desk.run(request("release", "WS221", minor=True))

    quiet = ("seal", "copy_reference", "publish_software", "post_blog", "send_mail")
    assert {name: desk.changes[name] for name in quiet} == {name: {} for name in quiet}
    assert desk.changes["go_live"]["wb-web1"] == {"production": str(desk.live)}
    assert "wb-gb1" not in desk.changes["go_live"]


def test_a_way_back_refreshes_the_reference_copy(desk):
    desk.run(request("rollback"))

    assert desk.changes["copy_reference"] == {"reference copy": str(desk.live)}
    assert desk.live.build.number == 219


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
