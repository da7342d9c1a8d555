"""Aria tables, made such that another server can open them.

The pages of a table carry log numbers, and its index the identity of the server that wrote it.
``aria_chk`` takes both away. It works on a copy, which then takes the place of the table, so a
server that has the table open never sees half of it. Source: ``aria_chk --help``.
"""

from __future__ import annotations

from pathlib import Path

import wbnode.files
import wbnode.minion

_WAY_OUT = "see what aria_chk says about the table; load it again if it is broken"


def make_portable(index: Path) -> bool:
    """Make the Aria table (or partition) of an index portable; whether it was not so already."""
    files = (index, index.with_suffix(".MAD"))
    with wbnode.files.scratch(index.parent.parent / ".incoming") as folder:
        wbnode.files.refuse_full(folder, sum(file.stat().st_size for file in files))
        wbnode.minion.command(["cp", "--reflink=auto", *files, folder], _WAY_OUT)
        options = ["--no-defaults", "--silent", "--zerofill", "--ignore-control-file"]
        wbnode.minion.command(
            ["aria_chk", *options, f"--logdir={folder}", folder / index.name], _WAY_OUT
        )
        changed = [file for file in files if not wbnode.files.same(folder / file.name, file)]
        for file in changed:
            wbnode.files.take_place(folder / file.name, file)
    return bool(changed)
