"""The gate on contents in whole runs: it holds a build, and lets an accepted one through."""

import pytest
from cluster import World, request, settings
from rehearsal import Desk, staged
from simulated_nodes import LOSE
from wbcore.errors import BadData, BadRequest, StepFailed
from wbcore.names import Build
from wbcore.verdicts import GATE, HOLD
from wbmaster.commands import verdicts

WS221 = Build(221)
WRONG = "AceDB objects of Gene: 20,000 -> 9,000 (-55%)"


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged, which has lost half of its genes."""
    desk = staged(World(settings()), memory / "before", "WS219", "WS220", "WS221")
    desk.nodes.world.genes["WS221"] = 9_000
    return desk


def figures(desk: Desk) -> dict:
    """What the newest run recorded of its comparison."""
    return desk.ledger.runs(1)[0]["figures"]["check_contents"]


def functions(desk: Desk) -> set[str]:
    return {function for _, function in desk.nodes.asked}


def held(desk: Desk, kind: str) -> str:
    with pytest.raises(BadData) as caught:
        desk.run(request(kind, "WS221"))
    return str(caught.value)


@pytest.mark.parametrize("kind", ["release", "push"])
def test_a_wrong_build_is_held_before_anything_is_sent(desk, kind):
    told = held(desk, kind)

    assert told.startswith("WS221 is further from the live WS220 than is allowed: " + WRONG)
    assert "salt-run wb_release.accept build=WS221 reason=" in told
    assert not functions(desk) & {"wb_parcel.make", "wb_dataset.pull", "wb_live.switch"}
    assert desk.live.build == Build(220) and desk.nodes.wrong == []
    verdict = desk.ledger.known().verdict(HOLD, WS221)
    assert (verdict.who, WRONG in verdict.reason) == (GATE, True)
    assert figures(desk)["outside"] == [WRONG] and figures(desk)["with"] == "WS220"


def test_a_held_build_is_refused_with_the_figures_and_the_ways_out(desk):
    held(desk, "release")
    with pytest.raises(BadRequest) as refused:
        desk.run(request("release", "WS221"))

    told = str(refused.value)
    assert "WS221 is held by the gate on contents" in told and WRONG in told
    assert "accept build=WS221" in told and "unhold build=WS221 has it compared again" in told
    assert WRONG in held(desk, "push")


def test_an_accepted_build_goes_live_on_record(desk):
    held(desk, "release")
    verdicts.accept(desk, "WS221", "the dead genes were dropped")
    desk.run(request("release", "WS221"))

    assert desk.live.build == WS221
    assert figures(desk)["outside"] == [WRONG]
    assert figures(desk)["accepted"].endswith(": the dead genes were dropped")


def test_a_mended_build_is_compared_again_when_nobody_holds_it(desk):
    held(desk, "push")
    verdicts.unhold(desk, "WS221")
    assert WRONG in held(desk, "release")

    desk.nodes.world.genes["WS221"] = 20_100
    verdicts.unhold(desk, "WS221")
    desk.run(request("release", "WS221"))
    assert desk.live.build == WS221
    assert set(figures(desk)) == {"with", "counted", "classes"}
    assert figures(desk)["classes"]["Gene"] == 20_100


def test_what_a_person_said_of_a_held_build_stays(desk):
    verdicts.hold(desk, "WS221", "the curators look at it")
    held(desk, "push")

    assert desk.ledger.known().verdict(HOLD, WS221).reason == "the curators look at it"


def test_a_dry_run_tells_it_and_holds_nothing(desk):
    with pytest.raises(BadData, match="Gene: 20,000 -> 9,000"):
        desk.forecast(request("release", "WS221"))

    assert desk.ledger.known().hold(WS221) is None
    assert "WS221" not in desk.nodes.world.sealed and desk.nodes.wrong == []
    held(desk, "push")
    verdicts.accept(desk, "WS221", "so it is")
    assert desk.forecast(request("release", "WS221"))["check_contents"] == {}


def test_the_live_build_and_the_first_one_are_compared_with_nothing(desk, memory):
    del desk.nodes.world.held["canopus"]["acedb/wormbase_WS220"]
    desk.run(request("release", "WS220"))
    assert "wb_dataset.pull" in functions(desk)
    assert "wb_contents.measure" not in functions(desk)

    first = Desk(World(settings()), memory / "first")
    first.nodes.world.stage("WS221")
    first.run(request("push", "WS221"))
    assert set(figures(first)) == {"counted", "classes"} and figures(first)["counted"] == 3
    first.wire.close()


def test_a_live_build_without_figures_lets_the_next_one_through(desk, monkeypatch):
    measure = desk.nodes.wb_contents_measure

    def lost(node, build, dry):
        gone = {"figures": {}, "missing": "WS220 is not here any more"}
        return gone if build == "WS220" else measure(node, build, dry)

    monkeypatch.setattr(desk.nodes, "wb_contents_measure", lost)
    desk.run(request("release", "WS221"))
    assert desk.live.build == WS221
    assert figures(desk)["missing"] == "WS220 is not here any more"


def test_a_build_without_figures_of_its_own_is_not_let_through(desk, monkeypatch):
    gone = {"figures": {}, "missing": "support/WS221/gene/a is not what was sealed"}
    monkeypatch.setattr(desk.nodes, "wb_contents_measure", lambda node, build, dry: gone)

    assert held(desk, "release").startswith("wb-dev: support/WS221/gene/a is not what was sealed; ")
    assert desk.ledger.known().hold(WS221) is None


def test_a_build_that_can_not_be_counted_stops_unless_it_is_accepted(desk):
    calls = desk.again(desk.layout.root.parent / "probe")
    held(calls, "push")
    first = [function for _, function in calls.nodes.asked].index("wb_contents.measure")
    calls.wire.close()

    for call in (first, first + 1):
        with pytest.raises(StepFailed, match=r"wb-dev: it failed; .*wb_release\.accept"):
            desk.run(request("push", "WS221"), {call: "fails"})
    with pytest.raises(StepFailed, match="it does not answer"):
        desk.run(request("push", "WS221"), {first: LOSE})
    assert desk.ledger.known().hold(WS221) is None

    verdicts.accept(desk, "WS221", "AceDB is of a new version")
    with pytest.raises(StepFailed, match="it does not answer"):
        desk.run(request("push", "WS221"), {first: LOSE})
    desk.run(request("push", "WS221"), {first: "fails"})
    assert figures(desk)["missing"] == "it failed" and "outside" not in figures(desk)


def test_the_announcement_is_told_what_was_live_before(desk):
    told = []
    desk.nodes.wb_announce_mail = lambda node, **how: told.append(how["before"]) or "sent"
    held(desk, "push")
    verdicts.accept(desk, "WS221", "so it is")
    desk.run(request("release", "WS221"))

    assert told == ["WS220"]


def test_what_was_accepted_is_one_sealing(desk, monkeypatch):
    held(desk, "push")
    with monkeypatch.context() as patched:
        sealed = {"sealed": "of an earlier sealing"}
        patched.setattr(desk.nodes, "wb_build_survey", lambda node, build: sealed)
        verdicts.accept(desk, "WS221", "so it is")
    told = held(desk, "release")
    assert WRONG in told and "accepted another sealing of it: so it is)" in told
    assert desk.live.build == Build(220)

    verdicts.accept(desk, "WS221", "this one too")
    desk.run(request("release", "WS221"))
    assert desk.live.build == WS221


def test_what_was_accepted_can_be_taken_back(desk):
    held(desk, "push")
    verdicts.accept(desk, "WS221", "so it is")
    assert verdicts.unaccept(desk, "WS221") == "WS221 is no longer accepted"
    assert verdicts.unaccept(desk, "WS221") == "WS221 was not accepted"
    assert WRONG in held(desk, "release")


def test_nobody_accepts_what_is_not_sealed(desk):
    with pytest.raises(BadRequest, match="WS221 is not sealed, so nobody can say"):
        verdicts.accept(desk, "WS221", "so it will be")
    assert desk.ledger.known().verdicts == ()
