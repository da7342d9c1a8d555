"""The beacon of the development server: what it announces, and what it remembers on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import salt.loader
from wbcore.events import BUILD_READY
from wbcore.names import Build

BEACONS = Path(__file__).resolve().parents[2] / "salt/_beacons"


@pytest.fixture
def ready(layout, stage):
    """Stage a build and write its ``READY``."""

    def declare(name):
        stage(layout, name)
        mark = layout.build(Build.parse(name)) / "READY"
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        return mark

    return declare


@pytest.fixture
def sent():
    return []


@pytest.fixture
def beat(modules, make_opts, pillar, sent, monkeypatch):
    """One beat of the beacon of a minion that has just started, at a time; what it sent."""
    opts = {**make_opts("node", pillar), "beacons_dirs": [str(BEACONS)]}
    functions = {
        "wb_build.builds": modules["wb_build.builds"],
        "event.send": lambda tag, data: sent.append((tag, data)),
    }

    def once(seconds: float):
        sent.clear()
        beacons = salt.loader.beacons(opts, functions)
        monkeypatch.setattr("time.time", lambda: 1.6e9 + seconds)
        assert beacons["wb_build_ready.beacon"]([{"interval": 5}]) == []
        return [data["build"] for _, data in sent]

    return once


def test_it_announces_the_newest_build_at_once_as_a_person_would(beat, ready, sent):
    assert beat(0) == []
    ready("WS221")
    ready("WS222")

    assert beat(0) == ["WS222"]
    assert sent == [(BUILD_READY, {"build": "WS222", "cause": "landed"})]


def test_it_announces_again_until_it_is_acknowledged(beat, ready, modules):
    ready("WS221")
    assert [beat(seconds) for seconds in (0, 5, 59, 60, 65, 121)] == [
        *(["WS221"], [], [], ["WS221"], [], ["WS221"]),
    ]

    answers = {"WS221": "the release of WS221 was started", "WS222": "it is not READY"}
    assert modules["wb_build.acknowledge"](answers) == {"acknowledged": ["WS221"]}
    assert beat(1000) == []
    ready("WS222")
    assert beat(1005) == ["WS222"]


def test_a_clock_that_was_set_back_does_not_silence_it(beat, ready):
    ready("WS221")
    beat(100_000)

    assert beat(0) == ["WS221"]


def test_a_memory_that_is_broken_is_no_memory(beat, ready, layout):
    ready("WS221")
    beat(0)
    layout.announced.write_text("{")

    assert beat(5) == ["WS221"]


def test_a_build_that_lost_its_ready_is_announced_when_it_has_it_again(beat, ready, modules):
    mark = ready("WS221")
    modules["wb_build.acknowledge"]({"WS221": "it waits"})
    assert beat(0) == []
    mark.unlink()
    assert beat(5) == []

    mark.touch()
    assert beat(10) == ["WS221"]


@pytest.mark.parametrize("name", ["../WS221", "WS", ""])
def test_no_acknowledgement_of_what_is_no_build(modules, layout, name):
    with pytest.raises(Exception, match="not the name of a build"):
        modules["wb_build.acknowledge"]({name: "x"})
    assert not layout.acknowledgements.exists()
