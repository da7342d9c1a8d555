"""wbmaster.ledger: what the master remembers, in a real SQLite file."""

import json
import sqlite3
import subprocess
import sys

import pytest
from cluster import release
from wbcore.drift import Change, Report
from wbcore.errors import BadData
from wbcore.model.ledger_facts import Known, ReleaseRecord, Switch
from wbcore.names import Build
from wbmaster.ledger import Ledger

WS219, WS220, WS221 = (release(build) for build in ("WS219", "WS220", "WS221"))


@pytest.fixture
def ledger(tmp_path):
    return Ledger(tmp_path / "state" / "ledger.sqlite")


def record(made, **flags):
    return ReleaseRecord(
        made,
        f"digest of {made}",
        f"digest of {made.build}",
        {"c_elegans": f"c_elegans_{made.build}"},
        [f"acedb/wormbase_{made.build}", f"webapp/{made}"],
        **flags,
    )


def begin(ledger, run, kind="release", build="WS221", **columns):
    ledger.begin_run(
        {
            "id": run,
            "kind": kind,
            "request": json.dumps({"build": build} if build else {}),
            "build": build,
            "cause": "command",
            "pid": 1,
            **columns,
        }
    )


def go_live(ledger, *releases):
    for one in releases:
        ledger.record_release(record(one))
        ledger.begin_switch("run", ledger.known().live, one)
        ledger.pass_switch("run", one, "forward")


# The file


def test_reading_leaves_no_file(ledger):
    assert ledger.known() == Known([], {}, None)
    assert (ledger.runs(5), ledger.unfinished(), ledger.run("x")) == ([], None, None)
    assert not ledger.path.parent.exists()


def test_a_file_whose_maker_was_killed_is_completed(ledger):
    ledger.path.parent.mkdir()
    ledger.path.touch()

    assert ledger.runs(5) == []
    begin(ledger, "run")
    assert ledger.unfinished()["id"] == "run"


def test_another_process_sees_what_was_written_at_once(ledger):
    begin(ledger, "run")
    code = "import sys; from pathlib import Path; from wbmaster.ledger import Ledger;"
    code += "print(Ledger(Path(sys.argv[1])).unfinished()['id'])"
    said = subprocess.run(
        [sys.executable, "-c", code, ledger.path],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )

    assert said.stdout == "run\n"


def test_a_reader_is_not_held_up_by_a_writer(ledger):
    begin(ledger, "run")
    writer = sqlite3.connect(ledger.path)
    writer.execute("begin immediate")
    writer.execute("delete from run")

    assert ledger.unfinished()["id"] == "run"
    writer.close()


@pytest.mark.parametrize("asked", [Ledger.known, Ledger.unfinished, Ledger.undo_switch])
def test_a_broken_file_is_named_with_what_to_do(ledger, asked):
    ledger.path.parent.mkdir()
    ledger.path.write_bytes(b"no database, but long enough to be taken for one" * 40)

    with pytest.raises(BadData, match=r"ledger.sqlite can not be used .*put a copy of it back"):
        asked(ledger)


# Runs and steps


def test_a_run_is_unfinished_until_it_ends(ledger):
    begin(ledger, "run", forecast=json.dumps({"minutes": 2}))
    begun = ledger.unfinished()
    assert (begun["request"], begun["forecast"], begun["figures"]) == (
        {"build": "WS221"},
        {"minutes": 2},
        {},
    )
    assert begun["outcome"] is None and begun["began"] > 1.7e9

    ledger.describe_run("run", figures={"window": 1.5}, release="WS221-x")
    ledger.end_run("run", "failed", "wb-web1: no")
    assert ledger.unfinished() is None
    ended = ledger.run("run")
    assert (ended["outcome"], ended["error"], ended["figures"], ended["release"]) == (
        "failed",
        "wb-web1: no",
        {"window": 1.5},
        "WS221-x",
    )
    assert ended["ended"] >= ended["began"]


def test_runs_are_told_newest_first_and_no_more_than_asked_for(ledger):
    for run in ("a", "b", "c"):
        begin(ledger, run)

    assert [run["id"] for run in ledger.runs(2)] == ["c", "b"]


def test_bury_the_dead_ends_all_but_the_run_at_work(ledger):
    for run in ("ended", "dead", "mine"):
        begin(ledger, run)
    ledger.end_run("ended", "done")

    assert ledger.bury_the_dead("mine") == ["dead"]
    assert ledger.run("dead")["outcome"] == "died"
    assert ledger.run("ended")["outcome"] == "done"
    assert ledger.unfinished()["id"] == "mine"


def test_steps_are_told_in_the_order_in_which_they_began(ledger):
    begin(ledger, "run")
    for step in ("seal", "check_disk_space"):
        ledger.begin_step("run", step)
        ledger.end_step("run", step, "done", {"seconds": 1.5})
    ledger.begin_step("run", "push_acedb")
    ledger.end_step("run", "push_acedb", "failed", {}, "wb-web1: no")

    told = ledger.steps("run")
    assert [(one["step"], one["outcome"], one["error"]) for one in told] == [
        ("seal", "done", ""),
        ("check_disk_space", "done", ""),
        ("push_acedb", "failed", "wb-web1: no"),
    ]
    assert told[0]["figures"] == {"seconds": 1.5}
    assert ledger.steps("another") == []


def test_pushes_are_the_runs_that_moved_something_and_ended_well_newest_first(ledger):
    for number, (outcome, figures) in enumerate(
        [
            ("done", {"entered": {"local": 7}}),
            ("failed", {"entered": {"local": 8}}),
            ("done", {"seconds": 1}),
            ("done", {"entered": {"local": 9}}),
        ]
    ):
        begin(ledger, f"run {number}")
        for step, told in (("seal", {"seconds": 1.0}), ("push_acedb", figures)):
            ledger.begin_step(f"run {number}", step)
            ledger.end_step(f"run {number}", step, "done", told)
        ledger.end_run(f"run {number}", outcome)

    assert ledger.pushes() == [
        {"seal": {"seconds": 1.0}, "push_acedb": {"entered": {"local": entered}}}
        for entered in (9, 7)
    ]
    assert len(ledger.pushes(limit=1)) == 1


@pytest.mark.parametrize(
    ("kind", "build", "outcome", "tried"),
    [
        ("release", "WS221", "done", True),
        ("release", "WS221", "failed", True),
        ("golive", "WS221", "failed", True),
        ("release", "WS221", "died", False),
        ("push", "WS221", "failed", False),
        ("release", "WS220", "failed", False),
    ],
)
def test_tried_is_a_release_that_came_to_an_end(ledger, kind, build, outcome, tried):
    begin(ledger, "run", kind, build)
    assert not ledger.tried(Build(221))

    ledger.end_run("run", outcome)
    assert ledger.tried(Build(221)) == tried


# Releases


def test_a_release_is_known_as_it_was_recorded(ledger):
    ledger.record_release(record(WS220))
    ledger.record_release(record(WS221))

    assert ledger.known().releases == {WS220: record(WS220), WS221: record(WS221)}
    assert list(ledger.known().releases) == [WS220, WS221]
    assert ledger.known().live is None


def test_recording_again_keeps_what_was_done_with_a_release(ledger):
    ledger.record_release(record(WS221))
    ledger.mark(WS221, "published")
    ledger.mark(WS221, "mailed")
    changed = ReleaseRecord(WS221, "new", "newer", {}, [])
    ledger.record_release(changed)

    known = ledger.known().releases[WS221]
    assert (known.published, known.posted, known.mailed) == (True, False, True)
    assert (known.digest, known.build_digest, known.databases, known.datasets) == (
        "new",
        "newer",
        {},
        [],
    )


def test_mark_of_anything_else_is_refused(ledger):
    with pytest.raises(ValueError, match="name"):
        ledger.mark(WS221, "name")


# What is live


def test_what_passed_its_checks_is_live(ledger):
    go_live(ledger, WS220, WS221)

    assert ledger.known().stack == [WS220, WS221]
    assert ledger.known().switch is None


def test_a_switch_is_known_until_it_passes_or_is_undone(ledger):
    go_live(ledger, WS220)
    ledger.begin_switch("run", WS220, WS221)
    assert ledger.known().switch == Switch("run", WS220, WS221)
    assert ledger.known().live == WS220

    ledger.begin_switch("later", WS220, WS221)
    assert ledger.known().switch == Switch("later", WS220, WS221)
    ledger.undo_switch()
    assert ledger.known().switch is None


def test_a_first_switch_comes_from_nothing(ledger):
    ledger.begin_switch("run", None, WS220)

    assert ledger.known().switch == Switch("run", None, WS220)


def test_passing_again_what_is_live_leaves_no_second_entry(ledger):
    go_live(ledger, WS220, WS220)

    assert ledger.known().stack == [WS220]


def test_going_back_leaves_what_was_live_and_never_comes_back_to_it(ledger):
    go_live(ledger, WS219, WS220, WS221)
    ledger.pass_switch("run", WS220, "back")
    assert ledger.known().stack == [WS219, WS220]
    ledger.pass_switch("run", WS219, "back")
    assert ledger.known().stack == [WS219]

    first, *_ = [one["gone_back"] for one in ledger.lives() if one["release"] == str(WS221)]
    assert first < max(one["gone_back"] or 0 for one in ledger.lives())

    go_live(ledger, WS221)
    assert ledger.known().stack == [WS219, WS221]
    assert [one["release"] for one in ledger.lives()] == [
        str(one) for one in (WS219, WS220, WS221, WS221)
    ]


def test_going_back_to_what_was_live_twice_leads_to_the_later_time(ledger):
    one, other = release("WS220", 1), release("WS220", 2)
    go_live(ledger, one, other, one, other)
    ledger.pass_switch("run", one, "back")

    assert ledger.known().stack == [one, other, one]


def test_going_back_out_of_a_switch_that_died_leaves_the_stack(ledger):
    go_live(ledger, WS219, WS220)
    ledger.begin_switch("run", WS220, WS221)
    ledger.pass_switch("run", WS220, "back")

    assert ledger.known().stack == [WS219, WS220]
    assert ledger.known().switch is None


@pytest.mark.parametrize("outcome", ["failed", "died"])
def test_going_back_is_known_until_it_ends_well_or_something_else_goes_live(ledger, outcome):
    go_live(ledger, WS219, WS220)
    begin(ledger, "forward", release=str(WS220))
    assert ledger.known().going_back is None

    begin(ledger, "back", "rollback", "", release=str(WS219))
    ledger.pass_switch("back", WS219, "back")
    assert ledger.known().going_back == WS219
    ledger.end_run("back", outcome)
    assert ledger.known().going_back == WS219
    # Neither a push nor what was refused before it had a release goes anywhere else.
    begin(ledger, "push", "push")
    begin(ledger, "refused")
    assert ledger.known().going_back == WS219
    begin(ledger, "forward again", release=str(WS220))
    assert ledger.known().going_back is None

    begin(ledger, "back again", "rollback", "", release=str(WS219))
    ledger.end_run("back again", "done")
    assert ledger.known().going_back is None


def drifted(node, number, kind="drift"):
    return Report.of(node, kind, [Change.of(f"state {number}", "it was changed")])


def test_drift_is_told_newest_first_and_by_node(ledger):
    assert ledger.drift(9) == [] and not ledger.path.exists()
    ledger.record_drift(drifted("wb-web1", 1))
    ledger.record_drift(drifted("fe", 2))

    assert [row["node"] for row in ledger.drift(9)] == ["fe", "wb-web1"]
    (row,) = ledger.drift(9, "wb-web1")
    assert row["changes"] == [{"id": "state 1", "what": "it was changed"}]
    assert len(ledger.drift(1)) == 1


def test_drift_that_is_told_again_is_counted(ledger):
    for number in (1, 1, 1, 2, 1):
        ledger.record_drift(drifted("fe", number, "failed"))
        ledger.record_drift(drifted("wb-web1", number))

    rows = ledger.drift(9, "fe")
    assert sorted(row["times"] for row in rows) == [1, 1, 3]
    assert all(row["since"] <= row["last"] for row in rows)


def test_a_node_can_not_fill_the_ledger(ledger):
    ledger.record_drift(drifted("wb-web1", 0))
    for number in range(230):
        ledger.record_drift(drifted("fe", number))

    assert len(ledger.drift(999, "fe")) == 200
    assert len(ledger.drift(999, "wb-web1")) == 1


def test_a_ledger_of_an_earlier_version_gets_the_table(ledger):
    begin(ledger, "run")
    with sqlite3.connect(ledger.path) as connection:
        connection.executescript("drop table drift; pragma user_version = 2")
    ledger.record_drift(drifted("fe", 1))

    assert len(ledger.drift(9)) == 1 and ledger.unfinished()["id"] == "run"
