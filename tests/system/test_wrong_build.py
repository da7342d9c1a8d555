"""The gate on contents on the lab: a build that is whole and wrong does not reach a node."""

from __future__ import annotations

import pytest
from glance import live
from labclient import Lab
from site_of import answers, letters, links, next_build


@pytest.fixture(scope="module")
def wrong(lab: Lab) -> str:
    """The next build, which has lost half of AceDB's genes."""
    build = next_build(lab)
    lab.do("build", build, "--lose-genes", "50")
    return build


def test_a_build_that_lost_its_genes_is_held_and_goes_live_once_accepted(
    lab: Lab, wrong: str
) -> None:
    was, before = live(lab), {node: links(lab, node) for node in lab.serving}
    dry = lab.orch("release", {"build": wrong}, test=True)
    assert dry.returncode != 0 and "AceDB objects of Gene" in dry.stdout
    assert not held(lab, wrong)

    refused = lab.orch("release", {"build": wrong})
    last = refused.stderr.strip().splitlines()[-1]
    assert refused.returncode != 0, refused.stdout
    assert f"orch.release {{build: {wrong}}} failed in check_contents" in last
    assert "AceDB objects of Gene" in last and f"wb_release.accept build={wrong}" in last
    assert "Traceback" not in refused.stdout + refused.stderr
    assert live(lab) == was and {node: links(lab, node) for node in lab.serving} == before
    assert {answer["release"] for answer in answers(lab)} == {was}
    for node in lab.serving:
        assert not lab.exec(node, "find", "/usr/local", "-name", f"*{wrong}*").stdout
    (said,) = held(lab, wrong)
    assert said.startswith(f"{wrong}: hold (the gate on contents: ")
    again = lab.orch("release", {"build": wrong})
    assert again.returncode != 0 and "is held by the gate on contents" in again.stdout

    lab.runner("wb_release.accept", f"build={wrong}", "reason=the dead genes were dropped")
    done = lab.orch("release", {"build": wrong})
    assert done.returncode == 0, done.stdout + done.stderr
    assert live(lab).startswith(f"{wrong}-")
    asked = answers(lab)
    assert {answer["node"] for answer in asked} == lab.web
    assert {answer["acedb"] for answer in asked} == {wrong}
    (run,) = lab.runner("wb_release.history", "limit=1")
    figures = run["steps"]["check_contents"]
    assert any("Gene" in one for one in figures["outside"])
    assert figures["accepted"].endswith("the dead genes were dropped")
    assert letters(lab, wrong) == 1
    told = lab.exec("wb-dev", "grep", "-rhA6", f"What is new since {was.split('-')[0]}", MAIL)
    assert "MySQL databases rebuilt: " in told.stdout
    # Beside half of the genes the next build, which has all of them, would be held too.
    assert lab.orch("rollback").returncode == 0


MAIL = "/var/mail/everybody/new"


def held(lab: Lab, build: str) -> list[str]:
    """What was said of a build and stands."""
    verdicts = map(str, lab.runner("wb_release.status")["verdicts"])
    return [one for one in verdicts if one.startswith(f"{build}: ")]
