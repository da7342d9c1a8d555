"""wbmaster.lifecycle.forecast: what a run will cost, by what the last one has cost."""

from dataclasses import replace

import pytest
from cluster import World, request, settings
from rehearsal import staged
from wbmaster.lifecycle.forecast import forecast


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


def went(desk, name="one", kind="release", parcels=3, **figures):
    """A run that ended well, as the ledger tells of it; figures are those of push_acedb."""
    desk.ledger.begin_run(
        {"id": name, "kind": kind, "request": "{}", "build": "WS220", "cause": "command", "pid": 1}
    )
    steps = {
        "seal": {"seconds": 6.0},
        "make_parcels": {"seconds": 30.0, "parcels": parcels},
        "push_acedb": {"seconds": 12.0, **figures},
        "push_mysql": {"seconds": 12.0, "bytes": 0, "entered": {}, "unpacked": {}},
        "go_live": {"seconds": 60.0},
    }
    if kind == "push":
        steps.pop("go_live")
    for step, told in steps.items():
        desk.ledger.begin_step(name, step)
        desk.ledger.end_step(name, step, "done", told)
    desk.ledger.end_run(name, "done")


@pytest.fixture
def new(desk):
    """The desk with a ledger that remembers no push."""
    with desk.ledger._open() as connection:
        connection.execute("delete from step")
        connection.execute("delete from run")
    return desk


def lacking(desk):
    """Bytes that all nodes lack for WS221 together."""
    return sum(desk.plan(request("release", "WS221")).plan.pull_bytes().values())


def test_without_experience_a_quarter_travels(new):
    told = forecast(new.plan(request("release", "WS221")))

    # Of all the datasets that a node of the site lacks, each once.
    assert told["bytes"] == {"local": 1000, "remote": 750}
    # A few kilobytes: what is left are the steps that take their time whatever is moved.
    assert told["minutes"] == 0.33
    assert told["window_seconds"] == 0


def test_each_site_gets_the_share_that_entered_it_last_time(new):
    went(new, bytes=lacking(new), entered={"local": 100, "remote": 10},
         unpacked={"local": 1000, "remote": 1000})  # fmt: skip
    told = forecast(new.plan(request("release", "WS221")))

    # Of AceDB's 1000 bytes; of the others nothing was recorded, so it is a quarter.
    assert told["bytes"] == {"local": 100 + 750, "remote": 10 + 500}


def test_moving_takes_longer_with_the_bytes_and_going_live_does_not(new):
    went(new, bytes=lacking(new) // 2, entered={}, unpacked={})

    minutes = forecast(new.plan(request("release", "WS221")))["minutes"]
    assert minutes == pytest.approx((60.0 * 2 + 60.0) / 60, abs=0.02)
    # A push does not go live.
    minutes = forecast(new.plan(request("push", "WS221")))["minutes"]
    assert minutes == pytest.approx(60.0 * 2 / 60, abs=0.02)


def test_what_going_live_takes_is_known_by_the_last_run_that_did(new):
    went(new, parcels=0, bytes=lacking(new), entered={}, unpacked={})
    went(new, "two", "push", bytes=lacking(new), entered={}, unpacked={})

    minutes = forecast(new.plan(request("release", "WS221")))["minutes"]
    assert minutes == pytest.approx((60.0 + 60.0) / 60, abs=0.02)


def test_a_push_without_parcels_tells_nothing_of_one_by_parcels(new):
    went(new, parcels=0, bytes=lacking(new), entered={"local": 1}, unpacked={"local": 1000})

    assert forecast(new.plan(request("release", "WS221")))["bytes"]["local"] == 1000


def test_what_brings_nothing_takes_as_long_as_the_last_of_its_kind(new):
    went(new, "one", "rollback")
    went(new, bytes=1, entered={}, unpacked={}, name="two")

    told = forecast(new.plan(request("rollback")))
    assert told["minutes"] == pytest.approx(120.0 / 60) and told["bytes"] == {}
    # Nothing but a minor revision tells of one.
    new.nodes.world.webapp.update(revision=1351, tip=1351)
    minor = request("release", "WS220", minor=True)
    assert forecast(new.plan(minor))["minutes"] == 0.0


def test_the_page_is_up_only_for_who_goes_live_behind_it(new):
    new.settings = settings(golive={"way": "maintenance"})

    assert forecast(new.plan(request("release", "WS221")))["window_seconds"] == 5.0


def test_free_disk_is_what_is_left_on_each_node(desk):
    told = forecast(desk.plan(request("release", "WS221")))

    assert told["free_after"]["wb-gb1"] == 10**9 - 1000
    assert set(told["free_after"]) == set(settings().serving)


@pytest.mark.parametrize(
    ("disks", "left"),
    [
        # acedb and support get 1000 bytes each, and so does mysql.
        ({"acedb": "8:1", "mysql": "8:2", "support": "8:1", "webapp": "8:1"}, 3000),
        ({"acedb": "8:1", "mysql": "8:2", "support": "8:2", "webapp": "8:1"}, 2000),
        ({"acedb": "8:1", "mysql": "8:1", "support": "8:1", "webapp": "8:2"}, 4000),
        ({"acedb": "8:2", "mysql": "8:2", "support": "8:2", "webapp": "8:2"}, 1000),
    ],
)
def test_free_disk_is_that_of_the_disk_that_the_bytes_go_to(desk, disks, left):
    free_on = {"8:1": 50_000, "8:2": 4000}
    planned = desk.plan(request("release", "WS221"))
    seen = planned.seen.nodes["wb-web1"]
    free = {kind: {"device": disk, "bytes_free": free_on[disk]} for kind, disk in disks.items()}
    nodes = {**planned.seen.nodes, "wb-web1": replace(seen, free=free)}
    planned.seen = replace(planned.seen, nodes=nodes)

    assert planned.plan.pull_bytes()["wb-web1"] == 3000
    assert forecast(planned)["free_after"]["wb-web1"] == left


def test_a_push_has_no_window(desk):
    assert forecast(desk.plan(request("push", "WS221")))["window_seconds"] == 0
