"""Whatever happens, the site is whole, the ledger says what is live, and in the end the newest
build goes live (DESIGN: invariants). ``bench/simulate`` plays many more stories than these."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from acts import asks
from chance import stories
from hypothesis import HealthCheck, given, settings
from rehearsal import scratch
from simulated_nodes import FAIL, KILL_AFTER
from stories import SITES, SMALL_SITES, beginning, play, releases_in_trouble


@pytest.fixture(scope="module")
def memory():
    with scratch() as root:
        yield root


@pytest.fixture(scope="module", params=SITES)
def site(request, memory):
    """A site before a story."""
    return beginning(request.param, memory / request.param)


def told(memory, site, story):
    """Play a story in a directory of its own."""
    with tempfile.TemporaryDirectory(dir=memory) as room:
        play(site, Path(room), story)


# Stories that ended badly once.
FOUND = {
    "whoever takes up a moved site waits for what is under way": (
        asks("release", (("wb_proxy.change_over", 0), KILL_AFTER)),
        asks("rollback"),
    ),
    "a change-over is undone though the clock was set back": (
        asks("release", (("wb_live.switch", 0), FAIL), (("wb_proxy.open", 0), FAIL)),
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_stories_that_ended_badly_end_well(site, memory, name):
    told(memory, site, FOUND[name])


@pytest.mark.parametrize("name", SMALL_SITES)
def test_a_release_ends_well_whatever_happens_to_any_of_its_calls(memory, name):
    site = beginning(name, memory / f"{name}, every call")
    asked = list(releases_in_trouble(site, memory / f"{name}, probe"))
    assert len(asked) > 100
    for one in asked:
        told(memory, site, [one])


# The same stories each time: new ones are looked for by bench/simulate.
@settings(max_examples=100, derandomize=True, suppress_health_check=list(HealthCheck))
@given(story=stories)
def test_any_story_ends_well(site, memory, story):
    told(memory, site, story)
