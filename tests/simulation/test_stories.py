"""Whatever happens, the site is whole, the ledger says what is live, and in the end the newest
build goes live (DESIGN: invariants). ``bench/simulate`` plays many more stories than these."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from chance import stories
from hypothesis import HealthCheck, given, settings
from rehearsal import scratch
from simulated_nodes import KILL_AFTER
from stories import SITES, Asks, beginning, play


@pytest.fixture(scope="module")
def memory():
    with scratch() as root:
        yield root


@pytest.fixture(scope="module", params=SITES)
def site(request, memory):
    """A site before a story."""
    return beginning(request.param, memory / request.param)


def release(*meanwhile):
    """A release in which this happens, each at or before the nth call of a function."""
    return Asks("release", tuple(((function, nth), what) for function, nth, what in meanwhile))


# Stories that ended badly once.
FOUND = {
    "whoever takes up a moved site waits for what is under way": (
        release(("wb_proxy.change_over", 0, KILL_AFTER)),
        Asks("rollback"),
    ),
}


@pytest.mark.parametrize("told", FOUND)
def test_stories_that_ended_badly_end_well(site, memory, told):
    with tempfile.TemporaryDirectory(dir=memory) as room:
        play(site, Path(room), FOUND[told])


# The same stories each time: new ones are looked for by bench/simulate.
@settings(max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))
@given(story=stories)
def test_any_story_ends_well(site, memory, story):
    with tempfile.TemporaryDirectory(dir=memory) as room:
        play(site, Path(room), story)
