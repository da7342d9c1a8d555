"""What a person sees of a run: lines anywhere, bars that come and go on a terminal."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from wbcore import events
from wbcore.errors import BadData
from wbmaster.reporting import screen, tree, watch
from wbmaster.reporting.screen import Drawn, Lines

STEP = "push_mysql"


def event(phase: str, step: str = STEP, **payload: object) -> tuple[str, dict[str, object]]:
    return events.release_tag("WS221", step, phase), payload


def progress(node: str, done: int) -> tuple[str, dict[str, object]]:
    return event(events.PROGRESS, node=node, dataset="mysql/x", done=done, total=4e6, rate=1e6)


def test_lines_tell_each_step_and_progress_now_and_then(capsys):
    lines = Lines()
    for one in (
        event(events.START),
        progress("canopus", 1_000_000),
        progress("canopus", 2_000_000),
        event(events.DONE, seconds=3.2),
        event(events.FAILED, "go_live", error="it does not answer"),
    ):
        lines.show(*one)
    told = [line.split(" ", 1)[1] for line in capsys.readouterr().err.splitlines()]
    assert told == [
        "WS221 push_mysql: begins",
        "WS221 push_mysql: canopus mysql/x 1.0 MB of 4.0 MB, 1.0 MB/s, 3 s left",
        "WS221 push_mysql: done in 3.2 s",
        "WS221 go_live: failed: it does not answer",
    ]


def run_at(step: str, error: str = ""):
    """The run at work on a step, as the ledger would have it."""
    state = tree.FAILED if error else tree.RUNNING

    def look(moving):
        row = {"id": "ours", "kind": "push", "build": "WS221", "release": "", "request": {}}
        row |= {"outcome": None, "began": 0.0, "ended": None, "forecast": {"minutes": 1}}
        nodes = [one for at, one in moving if at == step]
        steps = [tree.Step(step, state, 0.0, 3.0, 4.0, error, nodes=nodes)]
        return tree.Tree(row, steps, time.monotonic())

    return look


def test_drawn_has_the_nodes_of_the_step_at_work_until_it_ends():
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, height=24)
    drawn = Drawn(console, run_at(STEP))
    drawn.show(*progress("canopus", 1_000_000))
    drawn._live.refresh()
    assert "canopus    ━━━━──" in file.getvalue() and "1.0 MB of 4.0 MB" in file.getvalue()
    drawn.show(*event(events.DONE, seconds=3.2))
    file.truncate(0)
    drawn.close()
    assert "canopus" not in file.getvalue() and "push mysql" in file.getvalue()


def test_drawn_moves_every_second_though_nothing_is_told():
    file = io.StringIO()
    drawn = Drawn(Console(file=file, force_terminal=True, width=80, height=24), run_at(STEP))
    before = file.tell()
    time.sleep(1.2)
    between = file.tell()
    drawn.close()
    assert between > before


def test_drawn_says_what_it_does_not_know():
    def broken(moving):
        raise BadData("the ledger can not be used", "see to its disk")

    file = io.StringIO()
    Drawn(Console(file=file, force_terminal=True, width=120), broken).close()
    assert "It is not known how far the run is: the ledger can not be used" in file.getvalue()


def drawn_on(file: io.StringIO, error: str = "") -> Drawn:
    return Drawn(Console(file=file, force_terminal=True, width=200), run_at(STEP, error))


@pytest.mark.parametrize("text", ["[/usr/local/wormbase]", "[bold]x", ":smile: [red]"])
def test_an_error_is_shown_as_it_is_written(text, capsys):
    file = io.StringIO()
    shown = drawn_on(file, f"no such file: {text}")
    shown.close()
    Lines().show(*event(events.FAILED, error=f"no such file: {text}"))
    assert f"no such file: {text}" in file.getvalue()
    assert f"no such file: {text}" in capsys.readouterr().err


FORGED = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.just("\x1b[2J[/usr]\u202e\n"),
    st.lists(st.integers(), max_size=2),
)
KEYS = ["node", "dataset", "done", "total", "rate", "received", "complete", "error", "seconds"]


@given(st.sampled_from(events.PHASES), st.dictionaries(st.sampled_from(KEYS), FORGED))
def test_no_event_that_a_minion_can_forge_ends_the_screen(phase, payload):
    file, lines = io.StringIO(), io.StringIO()
    shown = drawn_on(file)
    shown.show(*event(phase, **payload))
    shown.close()
    with contextlib.redirect_stderr(lines):
        Lines().show(*event(phase, **payload))
    assert "\x1b" not in lines.getvalue() and lines.getvalue().count("\n") <= 1
    assert "\x1b[2J" not in file.getvalue() and "\u202e" not in file.getvalue()


def test_forged_names_fill_no_memory():
    shown, lines = drawn_on(io.StringIO()), Lines()
    for number in range(300):
        shown.show(*progress(f"node{number}", 1))
    shown.close()
    with contextlib.redirect_stderr(io.StringIO()):
        for number in range(300):
            lines.show(*progress(f"node{number}", 1))
    assert len(shown._progress.moving()) <= 100 and len(lines._last) <= 101


class Bus:
    """Events that come one after the other."""

    def __init__(self, *events: tuple[str, dict[str, object]]) -> None:
        self.left = list(events)

    def follow(self, prefix, listening=bool):
        listening()
        while self.left:
            yield self.left.pop(0)


def test_the_screen_of_a_run_ends_with_that_run(capsys):
    bus = Bus(
        event(events.FAILED, "run", run="another"),
        event(events.PROGRESS, "run", run="ours"),
        event(events.START, "seal"),
        event(events.DONE, "run", run="ours"),
        event(events.START, "never_shown"),
    )
    watch._follow(SimpleNamespace(bus=bus, ledger=None), "ours", threading.Event())
    assert len(bus.left) == 1 and "seal: begins" in capsys.readouterr().err


def test_an_event_that_can_not_be_shown_stops_nothing(monkeypatch):
    def broken(step, phase, payload):
        raise ValueError("a fault of ours")

    bus = Bus(event(events.START, "seal"), event(events.DONE, "run", run="ours"))
    monkeypatch.setattr(screen, "line", broken)
    watch._follow(SimpleNamespace(bus=bus, ledger=None), "ours", threading.Event())
    assert bus.left == []
