"""wbcore.enforcement.schedule and its pillar: Salt's own schedule takes what nodes are given."""

import datetime
from pathlib import Path

import pytest
import salt.loader
import salt.utils.schedule
from hypothesis import given
from hypothesis import strategies as st
from wbcore.enforcement import schedule
from wbcore.settings import Enforce

QUARTER = Enforce(minutes=15, splay_seconds=120)


@pytest.mark.parametrize(
    ("last", "started", "now", "due"),
    [
        (0.0, 1000.0, 1010.0, True),
        # A minion that has started since does not know what happened.
        (900.0, 1000.0, 1010.0, True),
        (1100.0, 1000.0, 1110.0, False),
        (1100.0, 1000.0, 1100.0 + 15 * 60 - 1, False),
        (1100.0, 1000.0, 1100.0 + 15 * 60 + 120, True),
    ],
)
def test_when_it_is_time_to_enforce(last, started, now, due):
    assert schedule.is_due(QUARTER, "wb-web1", last, started, now) is due


@given(st.text(max_size=20), st.integers(0, 300))
def test_nodes_spread_over_the_splay_and_no_further(node, splay):
    enforce = Enforce(minutes=1, splay_seconds=splay)
    assert not schedule.is_due(enforce, node, 100.0, 0.0, 159.0)
    assert schedule.is_due(enforce, node, 100.0, 0.0, 160.0 + splay)


def test_what_is_switched_off_is_never_due():
    assert not schedule.is_due(Enforce(minutes=0), "wb-web1", 0.0, 1000.0, 9999.0)


def test_nodes_do_not_all_come_at_once():
    nodes = [f"node{number}" for number in range(100)]
    due = [schedule.is_due(QUARTER, node, 0.1, 0.0, 15 * 60 + 60) for node in nodes]
    assert 30 < sum(due) < 70


@pytest.mark.parametrize(
    ("enforce", "hour", "night"),
    [
        (Enforce(deep_hour=2), 2, True),
        (Enforce(deep_hour=2), 3, False),
        (Enforce(deep_hour=2, deep_days=0), 2, False),
    ],
)
def test_data_are_read_again_at_the_hour_of_the_pillar(enforce, hour, night):
    assert schedule.is_night(enforce, hour) is night


def test_salt_runs_the_jobs_at_their_times(make_opts):
    opts = make_opts("node", {})
    opts["__role"] = "minion"
    opts["pillar"]["schedule"] = schedule.schedule()
    functions = salt.loader.minion_mods(opts)
    scheduler = salt.utils.schedule.Schedule(opts, functions, returners={}, new_instance=True)
    ran = []
    scheduler._run_job = lambda function, data, jid: ran.append((function, data["kwargs"]))
    start = datetime.datetime(2026, 11, 25, 1, 0)
    for second in range(0, 3 * 60 * 60, 10):
        scheduler.eval(now=start + datetime.timedelta(seconds=second))

    assert ran[0] == ("wb_node.enforce", {"when_due": True})
    names = [name for name, _ in ran]
    assert names.count("wb_dataset.verify") == 2
    assert 120 <= names.count("wb_node.enforce") <= 181
    assert all(name in functions for name in names)


@pytest.mark.parametrize(("node", "jobs"), [("node", 2), ("stranger", 0)])
def test_only_nodes_get_the_schedule(make_opts, node, jobs):
    opts = {**make_opts("node", {}), "pillar_dirs": []}
    nodes = {"node": {"address": "10.0.0.1", "site": "local", "roles": ["web"]}}
    folder = str(Path(__file__).resolve().parents[4] / "salt/_pillar")
    loader = salt.loader.LazyLoader([folder], opts, tag="pillar", pack={"__salt__": {}})
    given = loader["wb_upkeep.ext_pillar"](node, {"wormbase": {"nodes": nodes}}, True)

    assert len(given.get("schedule", {})) == jobs
