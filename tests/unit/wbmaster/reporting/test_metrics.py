"""Metrics, read back with Prometheus' own parser, and when they are written."""

import contextlib
import dataclasses
import datetime
import time

import pytest
from cluster import World, release, request, settings
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from rehearsal import Desk, staged
from simulated_nodes import FAIL, LONG_AGO
from wbcore.drift import Change, Report
from wbcore.errors import BadRequest, ReleaseError
from wbcore.metrics import Facts, Family, Push, text
from wbmaster.reporting import metrics

WEB = ["wb-web1", "wb-web2", "wb-mining", "canopus"]


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


def measured(told: str) -> dict[str, dict[tuple[str, ...], float]]:
    """What Prometheus understands: metric → values of its labels → value."""
    return {
        family.name: {
            tuple(sample.labels.values()): sample.value
            for sample in family.samples
            if sample.labels is not None
        }
        for family in text_string_to_metric_families(told)
    }


def written_to(desk: Desk, path) -> Desk:
    """The desk, told to write metrics there."""
    section = dataclasses.replace(desk.settings.metrics, textfile=str(path))
    desk.settings = dataclasses.replace(desk.settings, metrics=section)
    return desk


# The text


def test_everything_that_is_known_is_in_it():
    live = release("WS221")
    told = text(
        Facts(
            now=2000.5,
            live=live,
            since=1000.5,
            serving={"wb-web1": live, "canopus": release("WS220")},
            push=Push({"local": 10, "remote": 20}, 70, 12.5),
            window=2.25,
            runs={("release", "done"): 3, ("push", "failed"): 1},
            drift={("wb-web1", "drift"): 2, ("canopus", "rotted"): 1},
            unread={"wb-web1": 86400.5},
        )
    )
    kinds = {family.name: family.type for family in text_string_to_metric_families(told)}

    assert measured(told) == {
        "wormbase_release_info": {
            ("canopus", str(release("WS220")), "WS220"): 1,
            ("wb-web1", str(live), "WS221"): 1,
        },
        "wormbase_release_age_seconds": {(str(live), "WS221"): 1000},
        "wormbase_release_live_timestamp_seconds": {(): 1000.5},
        "wormbase_push_site_bytes": {("local",): 10, ("remote",): 20},
        "wormbase_push_received_bytes": {(): 70},
        "wormbase_push_seconds": {(): 12.5},
        "wormbase_window_seconds": {(): 2.25},
        # The parser takes the ending off a counter's name.
        "wormbase_runs": {("push", "failed"): 1, ("release", "done"): 3},
        "wormbase_drift_reports": {("canopus", "rotted"): 1, ("wb-web1", "drift"): 2},
        "wormbase_verification_age_seconds": {("wb-web1",): 86400.5},
    }
    assert kinds.pop("wormbase_runs") == "counter"
    assert set(kinds.values()) == {"gauge"}
    assert told.endswith("\n")


def test_what_is_not_known_has_no_line():
    assert text(Facts(now=1.0)) == ""


@given(st.text(), st.floats(allow_nan=False) | st.integers(0, 2**53))
def test_any_label_and_number_comes_back_as_it_was(label, value):
    told = Family("x", "gauge", "What.", [({"node": label}, value)]).text()

    assert measured(told) == {"wormbase_x": {(label,): value}}


# What they are made of


def test_a_release_is_measured(desk):
    began = time.time()
    desk.run(request("release", "WS221"))
    told = measured(metrics.show(desk))

    live = str(desk.live)
    # wb-gb1 has MySQL databases alone, and is known by them.
    assert told["wormbase_release_info"] == dict.fromkeys(
        [(node, live, "WS221") for node in [*WEB, "wb-gb1"]], 1
    )
    assert 0 <= told["wormbase_release_age_seconds"][(live, "WS221")] < 60
    assert told["wormbase_release_live_timestamp_seconds"][()] >= began
    steps = [desk.ledger.runs(1)[0]["figures"][f"push_{kind}"] for kind in ("acedb", "mysql")]
    assert told["wormbase_push_site_bytes"][("remote",)] >= sum(
        step["entered"]["remote"] for step in steps
    )
    assert told["wormbase_push_received_bytes"][()] > 0
    assert told["wormbase_window_seconds"][()] >= 0
    assert told["wormbase_runs"] == {("release", "done"): 3}


def test_a_node_that_serves_a_mixture_or_nothing_serves_no_release(desk):
    world = desk.nodes.world
    world.serving["canopus"] = {**world.serving["canopus"], "acedb": "wormbase_WS219"}
    world.absent = ("wb-web2",)
    nodes = {node for node, _, _ in measured(metrics.show(desk))["wormbase_release_info"]}

    assert nodes == {"wb-web1", "wb-mining", "wb-gb1"}


def test_after_a_way_back_the_age_counts_from_it(desk):
    desk.run(request("release", "WS221"))
    began = time.time()
    desk.run(request("rollback"))
    told = measured(metrics.show(desk))

    assert told["wormbase_release_live_timestamp_seconds"][()] >= began
    assert {build for _, _, build in told["wormbase_release_info"]} == {"WS220"}


def test_before_anything_was_done_there_is_next_to_nothing(memory):
    desk = staged(World(settings()), memory / "first", "WS220")

    assert metrics.show(desk) == ""


def test_what_nodes_told_is_counted_and_the_longest_unread_dataset_tells_its_age(desk):
    for times, kind in enumerate(("rotted", "drift"), 1):
        for _ in range(times):
            desk.ledger.record_drift(Report.of("canopus", kind, [Change.of("x", "what")]))
    told = measured(metrics.show(desk))

    assert told["wormbase_drift_reports"] == {("canopus", "drift"): 2, ("canopus", "rotted"): 1}
    ages = told["wormbase_verification_age_seconds"]
    since = time.time() - datetime.datetime.fromisoformat(LONG_AGO).timestamp()
    assert ages[("canopus",)] == pytest.approx(since, abs=60)


# When they are written


@pytest.mark.parametrize("kind", ["release", "push", "rollback"])
def test_every_run_writes_them_at_its_end(desk, tmp_path, kind):
    written_to(desk, tmp_path / "wormbase.prom")
    desk.run(request(kind, "" if kind == "rollback" else "WS221"))
    told = measured((tmp_path / "wormbase.prom").read_text())

    assert told["wormbase_runs"][(kind, "done")] >= 1
    builds = {build for _, _, build in told["wormbase_release_info"]}
    assert builds == {str(desk.live.build)}
    assert [path.name for path in tmp_path.iterdir()] == ["wormbase.prom"]
    assert (tmp_path / "wormbase.prom").stat().st_mode & 0o777 == 0o644


def test_a_run_that_failed_writes_them_too(desk, tmp_path):
    written_to(desk, tmp_path / "wormbase.prom")
    with pytest.raises(ReleaseError):
        desk.run(request("release", "WS221"), {8: FAIL})

    told = measured((tmp_path / "wormbase.prom").read_text())
    assert told["wormbase_runs"][("release", "failed")] == 1


def test_a_run_does_not_fail_when_they_can_not_be_written(desk, tmp_path, caplog):
    written_to(desk, tmp_path / "nowhere" / "wormbase.prom")
    desk.run(request("release", "WS221"))

    assert str(desk.live.build) == "WS221"
    assert "the metrics were not written: there is no directory" in caplog.text


def test_the_runner_says_when_they_can_not_be_written(desk, tmp_path):
    written_to(desk, tmp_path / "nowhere" / "wormbase.prom")
    with pytest.raises(BadRequest, match="make it, or name the one that node_exporter reads"):
        metrics.show(desk)


def test_a_dry_run_writes_nothing_and_nobody_is_asked_where_no_file_is_wanted(desk, tmp_path):
    written_to(desk, tmp_path / "wormbase.prom").forecast(request("release", "WS221"))
    assert not list(tmp_path.iterdir())

    desk.settings = settings()
    desk.run(request("release", "WS221"))
    assert "wb_live.version" not in {function for _, function in desk.nodes.asked}


def test_a_reader_finds_the_old_file_or_the_new_one(desk, tmp_path, monkeypatch):
    path = tmp_path / "wormbase.prom"
    written_to(desk, path)
    metrics.show(desk)
    old = path.read_text()

    def die(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(metrics.os, "replace", die)
    with contextlib.suppress(KeyboardInterrupt):
        metrics.show(desk)
    assert path.read_text() == old and [one.name for one in tmp_path.iterdir()] == [path.name]
