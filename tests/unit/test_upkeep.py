"""wbcore.upkeep and its external pillar: Salt's own schedule takes what nodes are given."""

import datetime
from pathlib import Path

import pytest
import salt.loader
import salt.utils.schedule
from wbcore import upkeep
from wbcore.settings import Enforce, Settings


def test_the_schedule_says_what_the_pillar_says():
    enforce = Enforce(minutes=7, splay_seconds=3, deep_hour=4)
    jobs = upkeep.schedule(Settings(enforce=enforce))

    assert jobs["wormbase enforcement"]["minutes"] == 7
    assert jobs["wormbase enforcement"]["splay"] == 3
    assert jobs["wormbase deep verification"]["cron"] == "0 4 * * *"
    assert all(job["maxrunning"] == 1 and job["return_job"] is False for job in jobs.values())


def test_what_is_switched_off_is_not_in_it():
    assert upkeep.schedule(Settings(enforce=Enforce(minutes=0, deep_days=0))) == {}


def test_salt_runs_the_jobs_at_their_times(make_opts):
    opts = make_opts("node", {})
    opts["__role"] = "minion"
    opts["pillar"]["schedule"] = upkeep.schedule(Settings())
    functions = salt.loader.minion_mods(opts)
    schedule = salt.utils.schedule.Schedule(opts, functions, returners={}, new_instance=True)
    ran = []
    schedule._run_job = lambda function, data, jid: ran.append(function)
    start = datetime.datetime(2026, 11, 25, 1, 0)
    for minute in range(3 * 60):
        schedule.eval(now=start + datetime.timedelta(minutes=minute))

    assert ran[0] == "wb_node.enforce"
    assert ran.count("wb_dataset.verify") == 1
    # Every 15 minutes and up to two more, looked at once a minute.
    assert 10 <= ran.count("wb_node.enforce") <= 13
    assert all(function in functions for function in ran)


@pytest.mark.parametrize(("node", "jobs"), [("node", 2), ("stranger", 0)])
def test_only_nodes_get_the_schedule(make_opts, node, jobs):
    opts = {**make_opts("node", {}), "pillar_dirs": []}
    nodes = {"node": {"address": "10.0.0.1", "site": "local", "roles": ["web"]}}
    folder = str(Path(__file__).resolve().parents[2] / "salt/_pillar")
    loader = salt.loader.LazyLoader([folder], opts, tag="pillar", pack={"__salt__": {}})
    given = loader["wb_upkeep.ext_pillar"](node, {"wormbase": {"nodes": nodes}}, True)

    assert len(given.get("schedule", {})) == jobs
