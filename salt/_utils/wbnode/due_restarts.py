"""Restarts that wait until nobody is served here: one file for each server that is due."""

from __future__ import annotations

from wbcore.layout import Layout

# Its unit, and the name of its program.
XINETD = "xinetd"


def note(layout: Layout, server: str) -> None:
    """Record that a server has to be restarted; this stays until it was."""
    layout.due.mkdir(parents=True, exist_ok=True)
    (layout.due / server).touch()


def servers(layout: Layout) -> list[str]:
    """The servers that have to be restarted."""
    return sorted(path.name for path in layout.due.glob("*"))


def done(layout: Layout, server: str) -> None:
    """Record that a server was restarted."""
    (layout.due / server).unlink(missing_ok=True)
