"""wbmaster.reporting.tables: what the runners answer, on a terminal of 80 columns and 24 lines."""

import pytest
from cluster import World, request, settings
from rehearsal import staged
from simulated_nodes import FAIL
from wbcore.drift import Change, Report
from wbcore.errors import StepFailed
from wbcore.events import Announcement
from wbcore.names import Build
from wbmaster.commands import queries, verdicts
from wbmaster.reporting import tables
from wbmaster.unattended import drift_reports, landings


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")


def shown(function: str, data) -> list[str]:
    """The lines of an answer, which fit the screen below the command and above the prompt."""
    drawn = tables.render(f"wb_release.{function}", data, 80, False).splitlines()
    assert len(drawn) <= 22 and max(map(len, drawn)) <= 80
    assert "\x1b" not in "".join(drawn)
    return drawn


def test_status_is_a_matrix_of_nodes(desk):
    drawn = shown("status", queries.status(desk))

    assert drawn[0].startswith("live      WS220-") and drawn[1].startswith("way back  WS219-")
    assert drawn[3].split() == ["node", "webapp", "AceDB", "MySQL", "pool"]
    (web,) = [line.split() for line in drawn if "wb-web1" in line]
    assert web[1].startswith("WS220-") and web[-1] == "in"
    (browser,) = [line.split() for line in drawn if "wb-gb1" in line]
    assert browser[1:] == ["1", "WS220,", "1", "WS219"]


def test_status_marks_what_deviates(desk):
    world = desk.nodes.world
    world.serving["canopus"] = {**world.serving["canopus"], "acedb": "wormbase_WS219"}
    world.absent = ("wb-web2",)
    verdicts.hold(desk, "WS221", "the curators look at it")
    drawn = shown("status", queries.status(desk))

    assert {line.split()[1].rstrip(":") for line in drawn if line.startswith("!")} == {
        "canopus",
        "wb-web2",
    }
    assert "! canopus: acedb is 'WS219' instead of 'WS220'" in drawn
    assert any(line.startswith("WS221: hold (") for line in drawn)


def test_history_is_a_line_a_run(desk):
    with pytest.raises(StepFailed):
        desk.run(request("release", "WS221"), {8: FAIL})
    desk.run(request("release", "WS221"))
    desk.run(request("rollback"))
    drawn = shown("history", queries.history(desk, 20))

    assert [line.split()[2:4] for line in drawn[1:4]] == [
        ["rollback", "WS220"],
        ["release", "WS221"],
        ["release", "WS221"],
    ]
    assert "failed" in drawn[3] and "done" in drawn[2] and "kB" in drawn[2].split()
    assert len(drawn) == 1 + len(queries.history(desk, 20))


def test_history_of_one_run_is_its_steps(desk):
    desk.run(request("release", "WS221"))
    told = queries.history(desk, 20, "WS221")
    drawn = shown("history", told)

    assert told == queries.history(desk, 1)[0]
    assert drawn[0].startswith("release WS221, began ") and drawn[0].endswith(": done")
    assert [line.split()[0] for line in drawn[2:-1]] == list(told["steps"])
    assert drawn[-1].startswith("took ")


def test_history_of_a_run_that_failed_ends_with_its_sentence(desk):
    with pytest.raises(StepFailed):
        desk.run(request("release", "WS221"), {8: FAIL})
    told = queries.history(desk, 20, "WS221")

    told["forecast"] = {"minutes": 1}
    drawn = " ".join(" ".join(shown("history", told)).split())
    assert drawn.endswith(told["error"]) and "()" not in drawn


def test_plan_is_a_line_a_node(desk):
    drawn = shown("plan", queries.plan(desk, request("release", "WS221")))

    assert drawn[0] == "orch.release {build: WS221}"
    (browser,) = [line for line in drawn if line.startswith("wb-gb1")]
    assert browser.split()[:5] == ["wb-gb1", "1.0", "kB", "1", "mysql"]
    assert not any("wb-gb1 lacks" in line for line in drawn)
    assert any(line.startswith("about ") and "to local" in line for line in drawn)


def test_landings_say_why(desk):
    verdicts.hold(desk, "", "wait")
    landings.answer(desk, [Announcement(Build.parse("WS221"), "command")])
    drawn = shown("landings", landings.shown(desk))

    assert drawn[1].split()[0] == "WS221" and "waiting" in drawn[1]


def test_drift_and_verdicts_are_a_line_each(desk):
    changes = [Change.of("link of acedb", "was changed"), Change.of("y", "z")]
    desk.ledger.record_drift(Report.of("canopus", "drift", changes))
    verdicts.bad(desk, "WS221", "half of it is missing")
    (drift,) = shown("drift", drift_reports.shown(desk, 20, ""))[1:]
    (verdict,) = shown("verdicts", queries.verdicts(desk))[1:]

    assert drift.endswith("link of acedb: was changed (and 1 more)") and "canopus" in drift
    assert verdict.split()[:2] == ["WS221", "bad"] and verdict.endswith("half of it is missing")


@pytest.mark.parametrize("function", ["history", "landings", "drift", "verdicts"])
def test_nothing_is_said_to_be_nothing(function):
    assert shown(function, []) == ["There is none."]


def test_what_is_refused_is_one_sentence():
    assert shown("plan", {"error": "no such build; name one", "retcode": 1}) == [
        "no such build; name one"
    ]


def test_what_nodes_and_people_say_moves_no_cursor(desk):
    verdicts.bad(desk, "WS221", "\x1b[2J[red]\u202e:smile:")
    drawn = shown("verdicts", queries.verdicts(desk))

    assert drawn[1].endswith("[2J[red] :smile:")


def states(*told, retcode=0):
    made = {
        f"x_|-{number}_|-x_|-y": {"__run_num__": number, "name": one[0], **one[1]}
        for number, one in enumerate(told)
    }
    return {"data": {"salt_master": made}, "outputter": "highstate", "retcode": retcode}


def of_orch(data) -> list[str]:
    return tables.render("state.orch", data, 80, False).splitlines()


BEGIN = {"__id__": "begin", "result": True, "comment": "orch.release {build: WS221}"}
STEP = {"__id__": "1 seal", "result": True, "comment": "Done."}
END = {"__id__": "end", "result": True, "comment": "seal: 1.0 s\nWS221 is live."}
NOT_ENDED = {"__id__": "end", "result": True, "comment": "There was nothing to end."}


def test_an_orchestration_that_did_its_work_is_its_summary():
    told = states(("begin", BEGIN), ("seal", STEP), ("end", END))

    assert of_orch(told) == ["seal: 1.0 s", "WS221 is live."]


def test_an_orchestration_that_has_nothing_to_do_says_so():
    idle = {**BEGIN, "comment": "WS221 is already live; nothing to do."}

    assert of_orch(states(("begin", idle), ("seal", STEP), ("end", NOT_ENDED))) == [
        "WS221 is already live; nothing to do."
    ]


def test_an_orchestration_that_is_refused_is_its_sentence():
    refused = {**BEGIN, "result": False, "comment": "WS9 is not staged; stage it"}
    told = states(("begin", refused), ("seal", STEP), ("end", NOT_ENDED), retcode=1)

    assert of_orch(told) == ["WS9 is not staged; stage it"]


def test_of_a_run_that_failed_the_last_line_is_enough():
    step = {**STEP, "result": False, "comment": "it is wrong; fix it"}
    end = {**END, "result": False, "comment": "seal: it is wrong; fix it"}

    assert of_orch(states(("begin", BEGIN), ("seal", step), ("end", end), retcode=1)) == []


def test_a_dry_run_is_the_plan_and_what_would_be_done():
    begin, step = {**BEGIN, "result": None}, {**STEP, "result": None, "comment": "Would be done."}
    end = {**END, "result": None, "comment": "The run would end here."}

    assert of_orch(states(("begin", begin), ("1 seal", step), ("end", end))) == [
        "orch.release {build: WS221}",
        "would: 1 seal",
    ]


def test_an_orchestration_that_does_not_render_says_why():
    told = {"data": {"salt_master": ["Rendering SLS 'x' failed"]}, "retcode": 1}

    assert of_orch(told) == ["Rendering SLS 'x' failed"]
