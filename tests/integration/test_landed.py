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


def decisions(event_listener, since):
    """What the runner decided after a moment, for each event that reached it."""
    found = event_listener.get_events([("salt", "salt/run/*/ret")], after_time=since)
    return [event.data["return"] for event in found if event.data["fun"] == "runner.wb_auto.landed"]


@pytest.mark.parametrize("node", [STAGING, PROXY])
def test_event_of_a_build_without_ready_starts_nothing(landed, event_listener, node):
    since = time.time()
    announce(landed, [{"build": "WS1"}, {"build": "WS221"}], node)
    said = eventually(
        "both are decided",
        lambda: (found := decisions(event_listener, since)) and len(found) == 2 and found,
    )
    assert sorted(said) == [
        f"wb-dev does not show {build} with READY: nothing was started"
        for build in ("WS1", "WS221")
    ]
    assert landed.orchestrations() == []
    assert landed.ledger.runs(9) == []


def test_event_of_what_is_no_build_starts_nothing_and_is_no_error(landed, event_listener):
    log = landed.master.config["log_file"]
    begins, since = os.path.getsize(log), time.time()
    # The reactor takes events one after another: with the last it has seen them all.
    announce(landed, [{"build": TOO_LONG}])
    builds = [{"build": build} for build in (*NO_BUILDS, "WS1")]
    announce(landed, [*NO_PAYLOADS, *builds])
    eventually("the last is decided", lambda: decisions(event_listener, since))
    assert decisions(event_listener, since) == [
        "wb-dev does not show WS1 with READY: nothing was started"
    ]
    with open(log, "rb") as lines:
        lines.seek(begins)
        logged = lines.read().decode(errors="replace")
    assert "Traceback" not in logged
    assert "[ERROR" not in logged and "[CRITICAL" not in logged
    assert landed.orchestrations() == []
    assert landed.ledger.runs(9) == []


def test_landed_build_is_released_by_a_run_that_outlives_the_master(landed):
    staged.declare_ready(landed.layouts[STAGING], "WS221")
    with landed.held_up(REMOTE):
        announce(landed, [{"build": "WS221"}])
        begun = landed.wait_for_step("push_support")
        assert (begun["kind"], begun["cause"]) == ("release", "event")
        (run,) = landed.orchestrations()
        assert run.pid == begun["pid"] == os.getsid(run.pid)
        with killed_master(landed):
            # It went to whoever takes orphans, and works on.
            eventually("it is an orphan", lambda: run.ppid() == 1)
            assert run.status() != psutil.STATUS_ZOMBIE
    # Whether this process ends it or another that takes it up, nobody has to do anything.
    eventually("all is pushed", lambda: pushed(landed))
    eventually("the run has ended", lambda: not landed.ledger.unfinished(), 120)
    causes = {told["cause"] for told in landed.run("wb_release.history").data}
    assert "event" in causes and causes <= {"event", "supervisor"}


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
