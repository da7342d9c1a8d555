"""What a person sees of a run: lines anywhere, bars that come and go on a terminal."""

from __future__ import annotations

import io

from rich.console import Console
from wbcore import events
from wbmaster.screen import Drawn, Lines

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


def test_drawn_removes_the_bars_of_a_step_that_ended():
    screen = io.StringIO()
    drawn = Drawn(Console(file=screen, force_terminal=True, width=100))
    drawn.show(*progress("canopus", 1_000_000))
    assert "mysql/x" in screen.getvalue()
    drawn.show(*event(events.DONE, seconds=3.2))
    screen.truncate(0)
    drawn.show(*event(events.DONE, "run"))
    drawn.close()
    assert "mysql/x" not in screen.getvalue()
    assert "run: done" in screen.getvalue()
