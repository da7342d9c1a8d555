"""wbmaster.unattended.landings: recorded, answered, queued, over real ledgers and runs."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cluster import World, release, request, settings
from rehearsal import staged
from simulated_nodes import KILL_BEFORE, Killed
from wbcore import events
from wbcore.errors import ReleaseError
from wbcore.events import Announcement
from wbcore.names import Build
from wbmaster import run
from wbmaster.commands import queries, verdicts
from wbmaster.lock import RunLock
from wbmaster.nodes.fleet import Answer
from wbmaster.unattended import landings, launcher
from wbmaster.unattended.debounce import Doorbell

ALWAYS = "00:00-24:00"


@pytest.fixture(scope="module")
def before(memory):
    """A desk with WS220 live and WS221 staged."""
    return staged(World(settings()), memory / "landings", "WS219", "WS220", "WS221")


@pytest.fixture
def started(monkeypatch):
    """The requests that were started as processes of their own, and why."""
    started = []
    monkeypatch.setattr(launcher, "start", lambda office, *what: started.append(what))
    return started


@pytest.fixture
def at_work(desk):
    """Another process that has the lock."""
    lock = RunLock(desk.lock.path)

    def take(asked):
        assert lock.take(dict(run.describe(asked, "other")))
        return lock.release

    yield take
    lock.release()


def said(build, cause="landed", sender="wb-dev"):
    return Announcement(Build.parse(build), cause, sender)


def by_command(build):
    """What ``salt-run wb_auto.landed`` says on the master."""
    return said(build, "command", "")


def policy(desk, **given):
    desk.settings = replace(desk.settings, landing=settings(landing=given).landing)


def row(desk, build="WS221", revision=""):
    return next(
        one for one in desk.ledger.landings() if (str(one.build), one.revision) == (build, revision)
    )


def answers(desk):
    """What the bus said: build, state, answer."""
    return [
        (told["build"], told["state"], told["answer"])
        for tag, told in desk.wire.fired
        if tag == events.BUILD_ANSWERED
    ]


def attempt(desk, asked, troubles=None):
    try:
        return desk.run(asked, troubles or {})
    except (ReleaseError, Killed) as error:
        return repr(error)


# An announcement


def test_a_landing_is_recorded_acknowledged_answered_and_released(desk, started):
    landings.answer(desk, [said("WS221")])

    assert started == [(request("release", "WS221"), "landed")]
    recorded = row(desk)
    assert (recorded.state, recorded.cause, recorded.starts) == ("started", "landed", 1)
    assert recorded.acknowledged >= recorded.seen > 1.7e9
    assert desk.nodes.acknowledged == {"WS221": "the release of WS221 was started"}
    assert answers(desk) == [("WS221", "started", "the release of WS221 was started")]


@pytest.mark.parametrize(
    "hear", [lambda desk: landings.answer(desk, [said("WS221")]), landings.poll]
)
def test_a_landing_moves_the_links_to_the_newest_build_once(desk, started, hear):
    live = desk.nodes.downloads["production"]
    hear(desk)
    assert desk.nodes.downloads == {"production": live, "development": "WS221"}

    desk.nodes.downloads.clear()
    hear(desk)
    assert desk.nodes.downloads == {}


def test_an_older_build_that_lands_does_not_move_the_links(desk, started):
    landings.answer(desk, [said("WS221")])
    landings.answer(desk, [by_command("WS220")])
    assert desk.nodes.downloads["development"] == "WS221"


def test_links_that_can_not_be_moved_do_not_stop_a_landing(desk, started, caplog):
    real = desk.nodes._ask
    desk.nodes._ask = lambda node, function, kwargs: (
        Answer(error="no disk")
        if function == "wb_download.follow"
        else real(node, function, kwargs)
    )
    landings.answer(desk, [said("WS221")])

    assert started and desk.nodes.acknowledged
    assert "the download links of wb-dev were left as they were: no disk" in caplog.text


def test_announced_again_it_starts_nothing_more_and_is_acknowledged_again(desk, started):
    for _ in range(3):
        desk.nodes.acknowledged.clear()
        landings.answer(desk, [said("WS221"), said("WS221", "event")])

    assert len(started) == 1
    assert desk.nodes.acknowledged
    assert {told[2] for told in answers(desk)} == {"the release of WS221 was started"}


def test_the_ledger_has_a_landing_before_the_development_server_knows(desk, started, monkeypatch):
    def gone(node, answers):
        assert desk.ledger.landings()
        raise Killed

    monkeypatch.setattr(desk.nodes, "wb_build_acknowledge", gone)
    with pytest.raises(Killed):
        landings.answer(desk, [said("WS221")])
    assert not row(desk).acknowledged


@pytest.mark.parametrize(
    ("build", "says", "recorded"),
    [
        ("WS220", "is live already", True),
        ("WS219", "WS219 is older than the live WS220", True),
        ("WS230", "wb-dev does not show WS230 with READY", False),
    ],
)
def test_what_did_not_land_is_answered_and_starts_nothing(desk, started, build, says, recorded):
    landings.answer(desk, [said(build, "event")])

    assert started == []
    assert bool(desk.ledger.landings()) == recorded
    ((told, state, answer),) = answers(desk)
    assert (told, state) == (build, "answered" if recorded else "ignored")
    assert says in answer


@pytest.mark.parametrize("cause", ["landed", "event"])
def test_nobody_but_the_development_server_is_heard(desk, started, cause):
    landings.answer(desk, [said("WS221", cause, "wb-gb1")])

    assert started == [] and desk.ledger.landings() == []
    assert answers(desk) == [
        ("WS221", "ignored", "only wb-dev announces builds: wb-gb1 is not heard")
    ]
    # No look at the development server was spent on it.
    assert ("wb-dev", "wb_build.builds") not in desk.nodes.asked[-1:]


def test_a_build_without_ready_starts_nothing_until_it_has_it(desk, started):
    desk.nodes.world.unfinished.add("WS221")
    landings.answer(desk, [said("WS221")])
    assert started == [] and desk.ledger.landings() == []

    desk.nodes.world.unfinished.clear()
    landings.answer(desk, [said("WS221")])
    assert len(started) == 1


def test_a_bad_build_and_a_held_one_are_answered_with_the_reason(desk, started):
    verdicts.bad(desk, "WS221", "half of it")
    landings.answer(desk, [said("WS221", "event")])
    assert "marked bad" in row(desk).answer and "half of it" in row(desk).answer

    verdicts.good(desk, "WS221")
    verdicts.hold(desk, "", "wait for the curators")
    landings.answer(desk, [by_command("WS221")])
    assert row(desk).state == "waiting" and "wait for the curators" in row(desk).answer
    assert started == []

    verdicts.unhold(desk, "")
    landings.attend(desk)
    assert started == [(request("release", "WS221"), "command")]


def test_a_development_server_that_does_not_answer_is_no_landing(desk, started):
    desk.nodes.world.absent = ("wb-dev",)
    landings.answer(desk, [said("WS221")])

    assert started == [] and desk.ledger.landings() == []
    assert "can not be asked" in answers(desk)[0][2]


def test_what_was_left_by_going_back_is_released_by_a_command_only(desk, started):
    desk.run(request("release", "WS221"))
    desk.run(request("rollback"))

    for cause in ("landed", "event"):
        landings.answer(desk, [said("WS221", cause)])
        assert "left by going back" in row(desk).answer
    assert started == []


# A batch of events on the bus names no sender, or any: nothing there tells it from a person.
FORGED = [(cause, sender) for cause in ("landed", "event") for sender in ("", "wb-dev")]


@pytest.mark.parametrize(("cause", "sender"), FORGED)
def test_what_failed_is_started_again_by_a_command_only(desk, started, cause, sender):
    attempt(desk, request("release", "WS221"), {9: "fails"})
    landings.answer(desk, [said("WS221")])
    assert started == [] and "was tried before" in row(desk).answer

    landings.answer(desk, [said("WS221", cause, sender)])
    assert started == [] and "was tried before" in row(desk).answer

    landings.answer(desk, [by_command("WS221")])
    assert started == [(request("release", "WS221"), "command")]


@pytest.mark.parametrize(("cause", "sender"), FORGED)
def test_what_was_answered_is_decided_anew_by_a_command_only(desk, started, cause, sender):
    policy(desk, start="nothing")
    landings.answer(desk, [said("WS221")])
    policy(desk, start="release")

    landings.answer(desk, [said("WS221", cause, sender)])
    assert started == [] and "start is nothing" in row(desk).answer
    landings.answer(desk, [by_command("WS221")])
    assert started == [(request("release", "WS221"), "command")]


@pytest.mark.parametrize("cause", ["landed", "event"])
def test_an_event_without_a_sender_is_not_heard(desk, started, cause):
    landings.answer(desk, [said("WS221", cause, "")])

    assert started == [] and desk.ledger.landings() == []
    ((_, state, answer),) = answers(desk)
    assert state == "ignored" and "salt-run wb_auto.landed build=WS221" in answer


def test_a_command_is_heard_without_a_sender(desk, started):
    landings.answer(desk, [by_command("WS221")])

    assert started == [(request("release", "WS221"), "command")]


# The queue


def test_during_a_run_the_newest_build_waits_and_no_other(desk, started, at_work):
    end = at_work(request("push", "WS220"))
    for build in ("WS221", "WS222", "WS223"):
        if build != "WS221":
            desk.nodes.world.stage(build)
        landings.answer(desk, [said(build)])
        landings.answer(desk, [said(build, "event")])

    assert started == []
    states = {str(one.build): one.state for one in desk.ledger.landings()}
    assert states == {"WS223": "waiting", "WS222": "answered", "WS221": "answered"}
    assert "WS223 landed after" in row(desk, "WS222").answer
    assert "until orch.push {build: WS220} has ended" in row(desk, "WS223").answer
    landings.attend(desk)
    assert started == []

    end()
    landings.attend(desk)
    assert started == [(request("release", "WS223"), "landed")]


def test_an_event_of_the_build_at_work_waits_for_its_end_and_no_longer(desk, started, at_work):
    end = at_work(request("release", "WS221"))
    landings.answer(desk, [said("WS221", "event")])
    assert row(desk).state == "started" and "is running" in row(desk).answer
    end()
    attempt(desk, request("release", "WS221"), {9: "fails"})

    landings.attend(desk)
    assert started == []
    assert "release of WS221 failed" in row(desk).answer


def test_a_landing_waits_for_what_died_to_be_taken_up(desk, started):
    attempt(desk, request("push", "WS221"), {20: KILL_BEFORE})
    assert desk.ledger.unfinished()
    landings.answer(desk, [said("WS221")])
    assert row(desk).state == "waiting"

    desk.run(request("push", "WS221"))
    landings.attend(desk)
    assert started == [(request("release", "WS221"), "landed")]


def test_a_build_whose_ready_was_taken_away_lands_anew(desk, started, at_work):
    end = at_work(request("push", "WS220"))
    landings.answer(desk, [said("WS221")])
    end()
    desk.nodes.world.unfinished.add("WS221")
    landings.attend(desk)
    assert started == [] and desk.ledger.landings() == []

    desk.nodes.world.unfinished.clear()
    landings.poll(desk)
    assert len(started) == 1


def test_a_landing_ends_with_its_run(desk, started):
    landings.answer(desk, [said("WS221")])
    desk.run(request("release", "WS221"))
    landings.attend(desk)

    assert (row(desk).state, row(desk).answer) == ("answered", "the release of WS221 is done")
    landings.answer(desk, [said("WS221")])
    assert row(desk).answer == "the release of WS221 is done"


def test_a_run_that_never_began_is_started_again_three_times(desk, started, monkeypatch):
    landings.answer(desk, [said("WS221")])
    for _ in range(5):
        late = replace(row(desk), decided=row(desk).decided - 61)
        desk.ledger.record_landing(late)
        landings.attend(desk)

    assert len(started) == 3
    assert "did not begin" in row(desk).answer


# The poll


def test_the_poll_finds_what_beacon_and_event_lost_once(desk, started):
    assert landings.poll(desk) == {"WS221": "the release of WS221 was started"}
    assert started == [(request("release", "WS221"), "landed")]
    assert row(desk).cause == "poll" and row(desk).acknowledged
    assert landings.poll(desk) == {}
    assert len(started) == 1


def test_the_poll_writes_nothing_when_there_is_nothing_new(desk, started):
    desk.run(request("release", "WS221"))
    landings.poll(desk)
    bytes_before = desk.ledger.path.read_bytes()

    landings.poll(desk)
    landings.attend(desk)
    assert desk.ledger.path.read_bytes() == bytes_before
    assert started == []


def test_outside_the_hours_it_is_pushed_and_goes_live_when_they_come(desk, started):
    hour = landings.datetime.datetime.now(landings.datetime.UTC).hour
    policy(desk, hours=f"{(hour + 2) % 24:02}:00-{(hour + 3) % 24:02}:00")
    landings.poll(desk)
    assert started == [(request("push", "WS221"), "landed")]
    desk.run(request("push", "WS221"))
    landings.attend(desk)
    assert len(started) == 1 and row(desk).state == "waiting"

    policy(desk, hours=ALWAYS)
    landings.poll(desk)
    assert started[1:] == [(request("release", "WS221"), "landed")]


def test_a_policy_of_pushing_ends_with_the_push(desk, started):
    policy(desk, start="push")
    landings.poll(desk)
    assert started == [(request("push", "WS221"), "landed")]
    desk.run(request("push", "WS221"))

    landings.attend(desk)
    assert row(desk).answer == "the push of WS221 is done"
    landings.answer(desk, [said("WS221")])
    assert len(started) == 1


def test_a_new_revision_lands_by_itself_when_the_policy_lets_it(desk, started):
    desk.nodes.world.unfinished.add("WS221")
    desk.nodes.world.webapp.update(revision=1351, tip=1351)
    landings.poll(desk)
    assert started == []

    policy(desk, minor=True)
    landings.poll(desk)
    landings.poll(desk)
    assert started == [(request("release", "WS220", minor=True), "landed")]
    desk.run(request("release", "WS220", minor=True))
    landings.poll(desk)
    assert row(desk, "WS220", "0.02-1351").state == "answered"
    assert len(started) == 1


@pytest.mark.parametrize(
    "webapp", [{"revision": 1351}, {"modified": ["x"], "revision": 1351, "tip": 1351}, {}]
)
def test_a_checkout_that_can_not_be_released_does_not_land(desk, started, webapp):
    desk.nodes.world.unfinished.add("WS221")
    desk.nodes.world.webapp.update(webapp)
    policy(desk, minor=True)

    landings.poll(desk)
    assert started == []


def test_no_revision_lands_by_itself_after_going_back(desk, started):
    desk.run(request("release", "WS221"))
    desk.run(request("rollback"))
    desk.nodes.world.webapp.update(revision=1351, tip=1351)
    policy(desk, minor=True)

    landings.poll(desk)
    assert started == []


def test_landings_are_shown_newest_first(desk, started):
    landings.answer(desk, [said("WS220"), said("WS221")])

    told = landings.shown(desk)
    assert [one["build"] for one in told] == ["WS221", "WS220"]
    assert told[0]["state"] == "started" and told[0]["acknowledged"].endswith("UTC")


# The doorbell


def test_a_storm_is_answered_by_two_looks(desk, started):
    bell, looks, gate = Doorbell(), [], threading.Event()

    def look(batch):
        looks.append(batch)
        gate.wait(10)
        return landings.answer(desk, batch)

    rings = [said("WS221"), said("WS221", "event"), said("WS222"), said("WS221", sender="x")]
    threads = [
        threading.Thread(target=bell.ring, args=(rings[number % 4], look)) for number in range(200)
    ]
    threads[0].start()
    while not looks:
        gate.wait(0.01)
    for thread in threads[1:]:
        thread.start()
    for thread in threads[2:]:
        thread.join(0.1)
    gate.set()
    for thread in threads:
        thread.join(10)

    assert [len(batch) for batch in looks] == [1, 4]
    assert len(started) == 1


def test_a_look_that_failed_does_not_keep_the_next_from_looking():
    bell = Doorbell()

    def fail(batch):
        raise ValueError

    with pytest.raises(ValueError):
        bell.ring(said("WS221"), fail)
    assert bell.ring(said("WS221"), len) == 1


# Telling people


class Chat(BaseHTTPRequestHandler):
    """A chat's webhook that answers with the server's ``status``."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append(json.loads(body)["text"])
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def chat():
    server = HTTPServer(("127.0.0.1", 0), Chat)
    server.heard, server.status = [], 200
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def notify(desk, chat):
    webhook = f"http://127.0.0.1:{chat.server_port}/hook"
    board = "https://salt:8443/"
    policy(desk, notify={"mail": ["ops@example.org"], "webhook": webhook, "board": board})


def test_people_are_told_when_a_run_begins_and_ends(desk, chat):
    notify(desk, chat)
    desk.run(request("release", "WS221"))

    begun, ended = desk.nodes.notices
    assert begun[0] == "orch.release {build: WS221} has begun" and "WS220" in begun[1]
    assert ended[0] == "orch.release {build: WS221} is done" and "is live." in ended[1]
    assert [text.splitlines()[0] for text in chat.heard] == [begun[0], ended[0]]
    (told, *_) = queries.history(desk, 1)
    assert {text.splitlines()[-1] for _, text in desk.nodes.notices} == {
        f"https://salt:8443/runs?name={told['run']}"
    }
    sent = {"mail": "sent", "webhook": "sent"}
    assert told["told"] == {"begun": sent, "ended": sent}


def test_people_are_told_of_a_failure_and_of_a_refusal(desk, chat, monkeypatch):
    notify(desk, chat)
    attempt(desk, request("release", "WS221"), {9: "fails"})
    assert "failed in" in desk.nodes.notices[-1][0]

    monkeypatch.setenv("WORMBASE_CAUSE", "landed")
    attempt(desk, request("release", "WS230"))
    subject, text = desk.nodes.notices[-1]
    assert subject == "orch.release {build: WS230} was refused" and "is not staged" in text


def test_people_who_can_not_be_told_stop_nothing(desk, chat, monkeypatch):
    notify(desk, chat)
    chat.status = 500
    refused = {"refused": ["ops@example.org"]}
    monkeypatch.setattr(desk.nodes, "wb_announce_tell", lambda node, **_: refused)
    desk.run(request("release", "WS221"))

    assert desk.live.same_content(release("WS221"))
    told = queries.history(desk, 1)[0]["told"]["ended"]
    assert told == {"mail": "refused: ops@example.org", "webhook": "it answers 500"}


def test_nobody_is_told_when_nobody_is_named(desk):
    desk.run(request("release", "WS221"))

    assert desk.nodes.notices == []
    assert queries.history(desk, 1)[0]["told"] == {}
