"""From an event to a run of its own: only what the development server itself shows starts one."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager

import psutil
import pytest
import staged
from wbcore import events
from wbcore.model.landing import Landing
from wbcore.names import Build
from wbsite import PROXY, REMOTE, SERVING, STAGING, eventually

# Longer than what Salt lets an event hold.
LONG = 1_100_000


@pytest.fixture
def landed(site):
    """The site with WS221 staged, a webapp, and no ``READY`` yet."""
    staged.build(site.layouts[STAGING], "WS221")
    staged.webapp(site.layouts[STAGING])
    return site


NO_BUILDS = (
    *("../x", "ws221", "WS221\n", "WS221; touch /tmp/x", ""),
    *(None, 221, True, ["WS221"], {"WS": 221}),
)
TOO_LONG = "WS" + "9" * LONG
NO_PAYLOADS = ({}, "WS221", ["WS221"], {"data": "WS221"}, {"data": {"build": ["WS221"]}})


def announce(site, payloads, node=STAGING):
    """Send what says that builds have landed, from a node, one event after another."""
    words = [[events.BUILD_READY, payload] for payload in payloads]
    answered = site.ask_often(node, "event.send", words)
    assert answered == {"event.send": True}


def forge(site, tag, data, node=PROXY):
    """Put any data on the master's bus with a node's key: no id is stamped on these."""
    forged = {"events": [{"tag": tag, "data": data}]}
    assert site.ask(node, "event.fire_master", {}, "x", preload=forged) is True


def answers(event_listener, since, count):
    """What the master answered on the bus since then: so many answers."""
    pattern = [("salt", events.BUILD_ANSWERED)]

    def told():
        found = event_listener.get_events(pattern, after_time=since)
        return sorted((one.data["build"], one.data["state"], one.data["answer"]) for one in found)

    return eventually(f"{count} answers", lambda: len(told()) >= count and told())


def asked(event_listener, since, function):
    """How many jobs with this function the master gave since then."""
    found = event_listener.get_events([("salt", "salt/job/*/new")], after_time=since)
    return len([one for one in found if one.data["fun"] == function])


def not_ready(*builds):
    said = "wb-dev does not show {} with READY: nothing was started"
    return [(build, "ignored", said.format(build)) for build in builds]


def logged(site, since):
    """What the master wrote since then, but for what Salt's publisher says on a busy machine of
    a subscriber that has gone."""
    with open(site.master.config["log_file"], "rb") as log:
        log.seek(since)
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if "Task was destroyed but it is" not in line)


def test_event_of_a_build_without_ready_starts_nothing(landed, event_listener):
    since = time.time()
    announce(landed, [{"build": "WS1"}, {"build": "WS221"}])
    assert answers(event_listener, since, 2) == not_ready("WS1", "WS221")
    assert landed.orchestrations() == []
    assert landed.ledger.runs(9) == [] and landed.ledger.landings() == []


def test_nobody_but_the_development_server_is_heard_and_who_forges_starts_nothing(
    landed, event_listener
):
    since = time.time()
    announce(landed, [{"build": "WS221"}], PROXY)
    why = "only wb-dev announces builds: fe is not heard"
    assert answers(event_listener, since, 1) == [("WS221", "ignored", why)]

    since = time.time()
    forge(landed, "salt/beacon/wb-dev/wb_build_ready/", {"build": "WS221", "id": STAGING})
    forge(landed, events.BUILD_READY, {"id": STAGING, "data": {"build": "WS221"}})
    assert answers(event_listener, since, 1) == not_ready("WS221")

    since = time.time()
    staged.declare_ready(landed.layouts[STAGING], "WS221")
    forge(landed, events.BUILD_READY, {"build": "WS221", "cause": "command"})
    ((_, state, answer),) = answers(event_listener, since, 1)
    assert state == "ignored" and "an event without a sender is not heard" in answer
    # The poll of each minute may have found it by itself.
    assert {run["cause"] for run in landed.ledger.runs(9)} <= {"landed"}


def test_who_forges_the_development_server_starts_nothing_again(landed, event_listener):
    staged.declare_ready(landed.layouts[STAGING], "WS221")
    landed.ledger.record_landing(Landing(Build(221), cause="landed", state="answered", answer="x"))
    for payload in ({"id": STAGING, "data": {"build": "WS221"}}, {"build": "WS221"}):
        since = time.time()
        forge(landed, events.BUILD_READY, payload)
        answers(event_listener, since, 1)
    assert landed.orchestrations() == [] and landed.ledger.runs(9) == []

    landed.run("wb_auto.landed", "build=WS221")
    begun = landed.wait_for_step("seal")
    assert (begun["kind"], begun["cause"]) == ("release", "command")


def test_event_of_what_is_no_build_starts_nothing_and_is_no_error(landed, event_listener):
    begins, since = os.path.getsize(landed.master.config["log_file"]), time.time()
    # The reactor takes events one after another: with the last it has seen them all.
    announce(landed, [{"build": TOO_LONG}])
    for sender in (TOO_LONG, ["wb-dev"], {"id": "wb-dev"}, "../wb-dev"):
        forge(landed, events.BUILD_READY, {"id": sender, "data": {"build": "WS221"}})
    builds = [{"build": build} for build in (*NO_BUILDS, "WS1")]
    announce(landed, [*NO_PAYLOADS, *builds])
    # Salt itself trims what is too long, here the name of a sender.
    found = eventually(
        "the last is answered",
        lambda: (told := answers(event_listener, since, 1))[0][0] == "WS1" and told,
    )
    assert found[:1] == not_ready("WS1")
    assert all("is not heard" in answer for _, _, answer in found[1:])
    said = logged(landed, begins)
    assert "Traceback" not in said
    assert "[ERROR" not in said and "[CRITICAL" not in said
    assert landed.orchestrations() == []
    assert landed.ledger.runs(9) == []


def test_a_storm_of_events_starts_one_run(landed, event_listener):
    begins, since = os.path.getsize(landed.master.config["log_file"]), time.time()
    staged.declare_ready(landed.layouts[STAGING], "WS221")
    with landed.held_up(REMOTE):
        announce(landed, [{"build": "WS221"}] * 200)
        landed.wait_for_step("push_support")
        # Each of them is a process of its own: minutes on two cores with other work.
        eventually("all events are through", lambda: reactions(event_listener, since) == 200, 360)
        assert len(landed.orchestrations()) == 1
    eventually("the run has ended", lambda: not landed.ledger.unfinished())
    eventually("the landing has ended", lambda: ended(landed), 60)
    assert len(landed.ledger.runs(9)) == 1
    assert asked(event_listener, since, "wb_build.builds") <= 20
    assert "Traceback" not in logged(landed, begins)
    (told,) = landed.run("wb_release.landings").data
    assert (told["build"], told["state"]) == ("WS221", "answered")
    assert told["acknowledged"] and told["answer"].startswith("the release of WS221 ")


def reactions(event_listener, since):
    """How many events have been answered by the runner."""
    found = event_listener.get_events([("salt", "salt/run/*/ret")], after_time=since)
    return len([one for one in found if one.data["fun"] == "runner.wb_auto.landed"])


def ended(site):
    return [one for one in site.ledger.landings() if one.state == "answered"]


def test_the_poll_finds_a_landing_that_nobody_announced(landed):
    staged.declare_ready(landed.layouts[STAGING], "WS221")
    landed.run("wb_auto.poll")
    begun = landed.wait_for_step("seal")
    assert (begun["kind"], begun["cause"]) == ("release", "landed")
    (row,) = landed.ledger.landings()
    assert (row.state, row.cause) == ("started", "poll") and row.acknowledged
    assert landed.layouts[STAGING].acknowledged(row.build).exists()


def test_landed_build_is_released_by_a_run_that_outlives_the_master(landed):
    staged.declare_ready(landed.layouts[STAGING], "WS221")
    with landed.held_up(REMOTE):
        announce(landed, [{"build": "WS221"}])
        begun = landed.wait_for_step("push_support")
        assert begun["kind"] == "release" and begun["cause"] in ("event", "landed")
        (run,) = landed.orchestrations()
        assert run.pid == begun["pid"] == os.getsid(run.pid)
        with killed_master(landed):
            # It is no child of the master, and works on.
            assert run.status() != psutil.STATUS_ZOMBIE
    # Whether this process ends it or another that takes it up, nobody has to do anything.
    eventually("all is pushed", lambda: pushed(landed))
    eventually("the run has ended", lambda: not landed.ledger.unfinished(), 120)
    causes = {told["cause"] for told in landed.run("wb_release.history").data}
    assert causes <= {"event", "landed", "supervisor"}


@contextmanager
def killed_master(site):
    """Let the master die at once, with all its processes but those in sessions of their own;
    it is started again afterwards."""
    session = os.getsid(site.master.pid)
    main = psutil.Process(site.master.pid)
    daemons = [main, *main.children(recursive=True)]
    for process in daemons:
        if os.getsid(process.pid) == session:
            os.kill(process.pid, signal.SIGKILL)
    try:
        yield
    finally:
        site.master.terminate()
        site.master.start()


def pushed(site):
    """Whether every node holds what is staged."""
    wanted = staged.contents(site.layouts[STAGING], "WS221")
    return all(staged.contents(site.layouts[node], "WS221") == wanted for node in SERVING)
