"""A command in a terminal of 80 columns and 24 lines, and its screen as SVG."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

COLUMNS, LINES = 80, 24
_PLAIN = "default"
# Names of pyte that are others in rich.
_COLOURS = {"brown": "yellow"}


class Terminal:
    """A command that runs in a terminal: iterating gives its screen whenever it wrote something.

    ``code`` is the command's exit code, once it has ended.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command, self.code = command, -1

    def __iter__(self) -> Iterator[pyte.Screen]:
        screen = pyte.Screen(COLUMNS, LINES)
        stream = pyte.ByteStream(screen)
        child, terminal = pty.fork()
        if child == 0:
            environment = {"TERM": "xterm-256color", "PATH": os.environ["PATH"]}
            os.execvpe(self._command[0], self._command, environment)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        while data := _read(terminal):
            stream.feed(data)
            yield screen
        self.code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def draw(screen: pyte.Screen, picture: Path) -> None:
    """Draw a screen, with its colours."""
    lines = _lines(screen)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for line in lines:
        console.print(line, no_wrap=True)
    console.save_svg(str(picture), title="wb", unique_id=picture.stem)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 20)
    except OSError:
        return b""


def _lines(screen: pyte.Screen) -> list[Text]:
    """The screen as far as anything is on it."""
    lines = [_line(screen, row) for row in range(LINES)]
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def _line(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[row][column]
        colour = _COLOURS.get(cell.fg, cell.fg)
        text.append(cell.data, Style(color=None if colour == _PLAIN else colour, bold=cell.bold))
    text.rstrip()
    return text
