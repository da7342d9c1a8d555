"""The runner ``wb_release``: what people read, with exit codes that scripts can read."""

from __future__ import annotations

import pytest
import staged
from wbsite import REMOTE, STAGING, WEB


@pytest.fixture
def ws221(site):
    """The site with WS221 and a webapp staged."""
    staged.build(site.layouts[STAGING], "WS221")
    staged.webapp(site.layouts[STAGING])
    return site


def check_refused(answered, sentence):
    """The runner says a sentence and no more, and its exit code tells."""
    assert answered.returncode != 0
    assert answered.data == {"error": sentence, "retcode": 1}
    assert answered.stderr == ""


def test_status_of_a_site_where_nothing_was_released(site):
    answered = site.run("wb_release.status")
    assert answered.returncode == 0, answered
    status = answered.data
    assert (status["live"], status["way_back"], status["at_work"]) == ("", "", "")
    assert set(status["nodes"]) == {WEB, REMOTE}
    assert status["proxy"]["maintenance"] is None
    assert not site.office.ledger.exists()


def test_plan_tells_what_a_release_would_do_and_changes_nothing(ws221):
    before = ws221.snapshot()
    answered = ws221.run("wb_release.plan", "build=WS221")
    assert answered.returncode == 0, answered
    would = answered.data["would"]
    assert would[0] == "orch.release {build: WS221}"
    assert any(line.startswith("canopus lacks 401.2 kB: support/WS221/gene") for line in would)
    forecast = answered.data["forecast"]
    assert set(forecast["bytes"]) == {"local", "remote"}
    assert ws221.snapshot() == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("wb_release.plan", "build=../WS221"),
            "'../WS221' is not the name of a build; a build is WS and its number, such as WS221",
        ),
        (
            ("wb_release.plan",),
            "orch.release needs a build; add pillar='{build: WS221}'",
        ),
        (
            ("wb_release.plan", "build=WS221"),
            "WS221 is not staged on wb-dev; stage it there, or name one that is: there is none yet",
        ),
        (
            ("wb_release.history", "limit=many"),
            "limit is 'many'; it is a number, how many to show",
        ),
        (
            ("wb_auto.landed", "build=WS"),
            "'WS' is not the name of a build; a build is WS and its number, such as WS221",
        ),
    ],
)
def test_what_can_not_be_answered_is_told_in_a_sentence(site, words, sentence):
    check_refused(site.run(*words), sentence)


def test_history_tells_the_newest_runs_with_their_steps(ws221):
    for build in ("WS221", "WS222"):
        staged.build(ws221.layouts[STAGING], build)
        assert ws221.orch("push", f"{{build: {build}}}").returncode == 0
    (newest,) = ws221.run("wb_release.history", "limit=1").data
    assert "push-WS222" in newest["run"]
    assert (newest["cause"], newest["outcome"], newest["error"]) == ("command", "done", "")
    assert newest["steps"]["push_support"]["received"] > staged.BIG


def test_watch_has_nothing_to_show_when_no_run_is_at_work(site):
    answered = site.run("wb_release.watch")
    assert (answered.returncode, answered.stdout) == (0, "No run is under way.")
