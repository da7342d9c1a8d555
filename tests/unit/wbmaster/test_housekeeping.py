"""wbmaster.housekeeping: what the ledger and the log of runs forget, in real files."""

import sqlite3
import time

import pytest
from cluster import release
from test_ledger import begin, record
from wbcore.model.landing import ANSWERED, WAITING, Landing
from wbcore.names import Build
from wbcore.requests import Request
from wbmaster import housekeeping
from wbmaster.ledger import Ledger

WS221 = release("WS221")


@pytest.fixture
def ledger(tmp_path, monkeypatch):
    monkeypatch.setattr(housekeeping, "KEPT", 3)
    return Ledger(tmp_path / "ledger.sqlite")


def run(ledger, name, outcome="failed", **columns):
    begin(ledger, name, **columns)
    ledger.begin_step(name, "push_mysql")
    ledger.end_step(name, "push_mysql", "done", {"entered": {"local": 1}})
    if outcome:
        ledger.end_run(name, outcome)


def names(ledger):
    return {one["id"] for one in ledger.runs(100)}


def test_the_newest_runs_stay_with_their_steps(ledger):
    for number in range(10):
        run(ledger, f"r{number}")
    assert names(ledger) == {"r7", "r8", "r9"}
    assert ledger.steps("r9") and not ledger.steps("r6")


def test_many_failed_runs_leave_what_was_learnt_of_good_ones(ledger):
    run(ledger, "good", "done")
    for number in range(10):
        run(ledger, f"r{number}")
    assert "good" in names(ledger)
    assert ledger.newest_done(Request.parse("release", {"build": "WS221"}))
    assert len(ledger.pushes()) == 1


def test_runs_that_did_not_end_stay(ledger):
    run(ledger, "died", outcome=None)
    for number in range(10):
        run(ledger, f"r{number}")
    assert ledger.unfinished()["id"] == "died"


def test_runs_that_the_ledger_speaks_of_stay(ledger):
    run(ledger, "switching")
    ledger.record_release(record(WS221))
    ledger.begin_switch("switching", None, WS221)
    run(ledger, "leaving-out")
    ledger.record_away("leaving-out", ["canopus"])
    for number in range(10):
        run(ledger, f"r{number}")
    assert {"switching", "leaving-out"} < names(ledger)


def test_a_rollback_that_failed_goes_on_after_many_other_runs(ledger):
    begin(ledger, "back", kind="rollback")
    ledger.describe_run("back", release=str(WS221))
    ledger.end_run("back", "failed")
    for number in range(10):
        run(ledger, f"r{number}", kind="push")
    assert ledger.known().going_back == WS221


def test_runs_that_were_forgotten_are_counted_still(ledger):
    for number in range(10):
        run(ledger, f"r{number}")
    run(ledger, "good", "done")
    assert ledger.outcomes() == {("release", "failed"): 10, ("release", "done"): 1}


def test_landings_that_were_answered_go_the_oldest_first(ledger):
    for number in range(10):
        ledger.record_landing(
            Landing(Build(number + 1), seen=1.0, decided=float(number), state=ANSWERED)
        )
    ledger.record_landing(Landing(Build(1), "0.02-7", seen=1.0, decided=0.0, state=WAITING))
    run(ledger, "r")
    left = [(str(one.build), one.revision) for one in ledger.landings()]
    assert left == [("WS10", ""), ("WS9", ""), ("WS8", ""), ("WS1", "0.02-7")]


def test_a_ledger_of_ten_thousand_runs_gets_small_again(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    begin(ledger, "first")
    with sqlite3.connect(ledger.path) as connection:
        connection.executemany(
            "insert into run (id, kind, request, cause, pid, began, ended, outcome) "
            "values (?, 'release', '{}', 'landed', 1, ?, 1, 'failed')",
            [(f"r{number}", float(number)) for number in range(10_000)],
        )
        connection.execute("insert into step (run, step, began) select id, 'seal', began from run")
    began = time.monotonic()
    ledger.end_run("first", "done")
    assert time.monotonic() - began < 2
    assert len(ledger.runs(20_000)) == housekeeping.KEPT + 1
    assert sum(ledger.outcomes().values()) == 10_001


def test_the_log_of_runs_begins_anew_when_it_is_long(tmp_path):
    log = tmp_path / "runs.log"
    housekeeping.shorten(log)
    for word in (b"first", b"second", b"third"):
        log.write_bytes(word + b"\0" * housekeeping.LOG_BYTES)
        housekeeping.shorten(log)
        assert not log.exists()
    assert (tmp_path / "runs.log.1").read_bytes().startswith(b"third")
    assert [path.name for path in tmp_path.iterdir()] == ["runs.log.1"]
    log.write_bytes(b"short")
    housekeeping.shorten(log)
    assert log.read_bytes() == b"short"
