"""Aria tables, made such that another server can open them.

The pages of a table carry log numbers, and its index the identity of the server that wrote it.
``aria_chk`` takes both away. It works on a copy, which then takes the place of the table, so a
server that has the table open never sees half of it. Source: ``aria_chk --help``.
"""

from __future__ import annotations

import re
from pathlib import Path

import wbnode.files
import wbnode.minion

_OPTIONS = ["--no-defaults", "--ignore-control-file"]
_PORTABLE = re.compile(r"^Status: .*\bzerofilled,movable\b", re.MULTILINE)
_WAY_OUT = "see what aria_chk says about the table; load it again if it is broken"


def make_portable(index: Path) -> bool:
    """Make the Aria table (or partition) of an index portable; whether it was not so already."""
    # It writes the time into the index, so what is portable already is left alone.
    if _PORTABLE.search(_aria_chk("--description", "--verbose", index)):
        return False
    files = (index, index.with_suffix(".MAD"))
    with wbnode.files.scratch(index.parent.parent / ".incoming") as folder:
        wbnode.files.refuse_full(folder, sum(file.stat().st_size for file in files))
        wbnode.minion.command(["cp", "--reflink=auto", *files, folder], _WAY_OUT)
        _aria_chk("--silent", "--zerofill", f"--logdir={folder}", folder / index.name)
        # The index comes last: by it the next look tells whether all of the table is portable.
        for file in reversed(files):
            wbnode.files.take_place(folder / file.name, file)
    return True


def _aria_chk(*words: str | Path) -> str:
    return wbnode.minion.command(["aria_chk", *_OPTIONS, *words], _WAY_OUT, cwd="/")
