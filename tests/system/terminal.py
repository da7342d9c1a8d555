"""A command as a person sees it in a terminal, with a clock."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from pictures.terminal import Terminal


@dataclass
class Seen:
    """What a command showed.

    screens
        (seconds since its start, the lines of the screen) whenever anything on it was another.
    """

    code: int
    screens: list[tuple[float, list[str]]] = field(default_factory=list)

    def stillness(self, beginning: str) -> float:
        """The longest time in seconds in which nothing moved, from the first screen that has these
        words to the last one."""
        first = next(at for at, lines in self.screens if beginning in "\n".join(lines))
        moved = [at for at, _ in self.screens if at >= first]
        return max(after - before for before, after in itertools.pairwise(moved))


def run(command: Sequence[str]) -> Seen:
    """Run a command to its end."""
    terminal, seen, began = Terminal(command), Seen(-1), time.monotonic()
    for screen in terminal:
        lines = list(screen.display)
        if not seen.screens or lines != seen.screens[-1][1]:
            seen.screens.append((time.monotonic() - began, lines))
    seen.code = terminal.code
    return seen
