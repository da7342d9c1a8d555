"""wbmaster.lifecycle.exit_codes: what a process ends with, by what became of its run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cluster import World, request, settings
from rehearsal import staged
from wbcore.errors import Away, BadData, BadRequest, Busy, Interrupted, ReleaseError, StepFailed
from wbmaster.lifecycle import exit_codes
from wbmaster.nodes.fleet import Answer

UTILS = Path(exit_codes.__file__).resolve().parents[2]
LEAVES = """
import sys
from wbmaster.lifecycle import exit_codes
sys.argv = [sys.argv[1]]
exit_codes.leave(exit_codes.NOT_PUT_BACK, "the last line")
print("what Salt prints")
sys.exit(1)
"""


@pytest.fixture(scope="module")
def before(memory):
    return staged(World(settings()), memory / "before", "WS220", "WS221")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BadRequest, exit_codes.REFUSED),
        (BadData, exit_codes.REFUSED),
        (Away, exit_codes.REFUSED),
        (Busy, exit_codes.HELD),
        # A run that was joined.
        (StepFailed, exit_codes.FAILED),
    ],
)
def test_a_request_that_began_no_run(error, code):
    assert exit_codes.of_begin(error("what", "todo")) == code


def test_a_run_that_lost_its_master_goes_on(desk):
    assert exit_codes.of_end(Interrupted("what", "todo"), desk.ledger) == exit_codes.GOES_ON


def code_of(desk, answer, function, node=""):
    """The code of a release in which a function is answered so."""
    real = desk.nodes._ask
    desk.nodes._ask = lambda asked, called, kwargs: (
        answer
        if called == function and node in ("", asked) and desk.ledger.known().switch
        else real(asked, called, kwargs)
    )
    with pytest.raises(ReleaseError) as caught:
        desk.run(request("release", "WS221"))
    return exit_codes.of_end(caught.value, desk.ledger)


def test_a_run_that_failed_and_was_put_back(desk):
    bad = Answer(error="it failed")
    assert code_of(desk, bad, "wb_live.switch", "wb-web2") == exit_codes.FAILED


def test_a_run_that_failed_and_could_not_be_put_back(desk):
    assert code_of(desk, Answer(error="it failed"), "wb_proxy.set_pool") == exit_codes.NOT_PUT_BACK


def test_a_run_that_waits_for_the_proxy(desk):
    def gone(*_, **__):
        desk.nodes.world.absent = ("fe",)
        return {}

    desk.nodes.wb_proxy_reports = gone
    with pytest.raises(Away) as caught:
        desk.run(request("release", "WS221"))
    assert exit_codes.of_end(caught.value, desk.ledger) == exit_codes.GOES_ON


@pytest.mark.parametrize(
    ("program", "code", "last"),
    [("/usr/bin/salt-run", 82, "the last line"), ("/usr/bin/salt-master", 1, "")],
)
def test_salt_run_alone_ends_with_the_code_after_everything_is_printed(program, code, last):
    ended = subprocess.run(
        [sys.executable, "-c", LEAVES, program],
        env={**os.environ, "PYTHONPATH": str(UTILS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (code, "what Salt prints\n")
    assert ended.stderr.strip() == last
