"""Builds that land on the lab while things go wrong, and nobody gives a command."""

from __future__ import annotations

import subprocess
import time

import pytest
from glance import live
from labclient import Lab
from site_of import Visitors, answers_of_all, letters, next_build, wait_for, whole


@pytest.fixture
def landed(lab: Lab) -> str:
    """The next build after the live one, which has just landed."""
    build = next_build(lab)
    lab.do("build", build, "--land")
    return build


def test_a_master_that_is_killed_in_an_automatic_run_costs_nobody_a_hand(
    lab: Lab, landed: str
) -> None:
    with Visitors(lab, clients=4) as visitors:
        wait_for_step(lab, "go_live")
        assert lab.exec("salt", "pkill", "-9", "-f", "/usr/bin/salt-master").returncode == 0
        wait_for(lab, landed)
    assert not visitors.mixed and not visitors.late and not visitors.failed
    asked = answers_of_all(lab)
    assert {answer["release"].split("-")[0] for answer in asked} == {landed}
    assert all(map(whole, asked))
    assert letters(lab, landed) == 1
    done = [run for run in lab.runner("wb_release.history") if run["release"].startswith(landed)]
    assert [run["outcome"] for run in done].count("done") == 1


def test_a_landing_is_recorded_and_acknowledged_once_it_is_live(lab: Lab) -> None:
    build = live(lab).split("-")[0]
    until = time.monotonic() + 90
    while (told := landing(lab, build))["state"] != "answered" and time.monotonic() < until:
        time.sleep(3)
    assert told["state"] == "answered" and told["acknowledged"]
    acknowledged = lab.exec("wb-dev", "ls", "/var/lib/wormbase-release/acknowledged").stdout
    assert f"{build}.json" in acknowledged.split()


def landing(lab: Lab, build: str) -> dict[str, str]:
    """The landing of a build as people are shown it."""
    (told,) = (one for one in lab.runner("wb_release.landings") if one["build"] == build)
    return dict(told)


def wait_for_step(lab: Lab, step: str, seconds: float = 180) -> None:
    """Return when the run at work, which nobody started by hand, is at a step."""
    until = time.monotonic() + seconds
    words = [str(lab.checkout / "bin/lab"), "exec", "salt", "salt-run", "wb_release.watch"]
    while time.monotonic() < until:
        with subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as watch:
            assert watch.stderr is not None
            for line in watch.stderr:
                if f"{step}: begins" in line:
                    watch.kill()
                    return
    pytest.fail(f"no run came to {step}")
