"""Requests that can not be carried out: one sentence, a code, and nothing has changed."""

from __future__ import annotations

import datetime

import pytest
import staged
from wbcore.datasets import SUPPORT
from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.names import Build, Release
from wbsite import STAGING, sentences

NOT_A_BUILD = "is not the name of a build; a build is WS and its number, such as WS221"


def check_refused(site, kind, pillar, sentence):
    """Ask for an orchestration that has to be refused with exactly this sentence."""
    before = site.snapshot()
    answered = site.orch(kind, pillar)
    assert answered.returncode != 0
    assert sentences(answered) == [sentence]
    assert [line for line in answered.stderr.splitlines() if sentence not in line] == []
    assert "Traceback" not in answered.stdout
    assert site.snapshot() == before


@pytest.mark.parametrize(
    ("pillar", "sentence"),
    [
        ("{}", "orch.release needs a build; add pillar='{build: WS221}'"),
        ("{build: WS}", f"'WS' {NOT_A_BUILD}"),
        ("{build: ws221}", f"'ws221' {NOT_A_BUILD}"),
        ("{build: WS221; rm -rf /}", f"'WS221; rm -rf /' {NOT_A_BUILD}"),
        ("{build: ../WS221}", f"'../WS221' {NOT_A_BUILD}"),
        (
            "{build: WS221, force: True}",
            "orch.release does not know the pillar key 'force'; the keys it takes: build, minor",
        ),
        (
            "{build: WS221, wormbase: {golive: {quorum_percent: 0}}}",
            "orch.release does not know the pillar key 'wormbase'; the keys it takes: build, minor",
        ),
    ],
)
def test_release_asked_for_wrongly(site, pillar, sentence):
    check_refused(site, "release", pillar, sentence)


def test_a_step_alone_is_refused(site):
    before = site.snapshot()
    answered = site.run("state.orch", "orch.steps.09_take_out_of_service")
    assert answered.returncode != 0
    assert "take_out_of_service was not taken; a step is a part of a run" in answered.stdout
    assert site.snapshot() == before


def test_push_of_a_build_that_is_not_staged(site):
    staged.build(site.layouts[STAGING], "WS220")
    check_refused(
        site,
        "push",
        "{build: WS221}",
        "WS221 is not staged on wb-dev; stage it there, or name one that is: WS220",
    )


def test_push_of_a_build_older_than_the_live_one(site):
    staged.build(site.layouts[STAGING], "WS220")
    live = Release(Build(221), datetime.date(2010, 12, 24), "0.02", 1350)
    site.ledger.record_release(ReleaseRecord(live, "", "", {}, ()))
    site.ledger.pass_switch("a-run-before", live, "forward")
    check_refused(
        site,
        "push",
        "{build: WS220}",
        "WS220 is older than the live WS221-2010.12.24-0.02-1350; "
        "to go back use orch.rollback; a build never goes live after a newer one",
    )


def test_push_of_a_build_changed_after_sealing(site):
    layout = site.layouts[STAGING]
    staged.build(layout, "WS221")
    site.ask(STAGING, "wb_build.seal", "WS221")
    with open(layout.kind(SUPPORT) / "WS221" / "gene" / "3.txt", "ab") as changed:
        changed.write(b"!")
    check_refused(
        site,
        "push",
        "{build: WS221}",
        "wb-dev: WS221 was changed after it was sealed: support/WS221/gene/3.txt; restore the "
        "file, or, if the change is meant and the build was never live, run "
        "salt wb-dev wb_build.unseal WS221",
    )
