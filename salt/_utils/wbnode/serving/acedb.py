"""Which build the running AceDB server serves."""

from __future__ import annotations

from pathlib import Path

from wbcore.datasets import ACEDB
from wbcore.errors import StepFailed
from wbcore.layout import Layout
from wbcore.names import build_of_directory

from wbnode.acedb import AceClient

from . import processes

_LOOK = "look at xinetd and at database/serverlog.wrm of its database"


def build(layout: Layout, port: int, seconds: float) -> str:
    """The build that the server on a port answers, whose directory it has open.

    StepFailed if there is no answer, or if name and directory are of two builds: a server may
    show the name of a link that has moved since.
    """
    try:
        # While it is connected, it does not end because nobody asks it.
        with AceClient(port, seconds) as client:
            name = client.name()
            directories = _directories(layout, port)
    except OSError as error:
        raise StepFailed(f"AceDB does not answer on port {port}: {error}", _LOOK) from error
    if [str(build_of_directory(one)) for one in directories] != [name]:
        shown = " and ".join(directories) or "no database"
        raise StepFailed(f"AceDB says that it is {name}, and has {shown} open", _LOOK)
    return name


def _directories(layout: Layout, port: int) -> list[str]:
    """The databases that the processes of a port have open; xinetd, one of them, has none."""
    home = layout.kind(ACEDB).resolve()
    opened = processes.holders(processes.listening(port)).values()
    blocks = [path for files in opened for path in map(Path, files) if path.match("block*.wrm")]
    return sorted({path.parent.parent.name for path in blocks if path.parent.parent.parent == home})
