"""MyISAM indexes, made anew from their table and their own first bytes.

``myisamchk`` gives the same index for the same table and beginning everywhere, but for the
times that it writes into the beginning. So the development server brings its indexes into
this form when it seals a build, and nodes make them themselves.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import wbnode.files
import wbnode.minion

_SORT_BUFFER = "128M"
# Where the header of an index says how long it is (two bytes, the higher one first).
_LENGTH = slice(6, 8)
_MEND = "see what myisamchk says about the table; load it anew if it is broken"


def head(index: Path) -> bytes:
    """The header of an index: how its table is made, which keys it has, when it was changed."""
    with index.open("rb") as stream:
        start = stream.read(_LENGTH.stop)
        return start + stream.read(int.from_bytes(start[_LENGTH], "big") - len(start))


def make(index: Path, beginning: bytes) -> None:
    """Make an index beside its table, with just this beginning; StepFailed when the table is
    not what it was made from."""
    _make(index, beginning)
    with index.open("r+b") as stream:
        stream.write(beginning)


def normalise(index: Path) -> bool:
    """Bring an index into the form that :func:`make` gives; whether it had another.

    It is replaced by rename: a server that has it open goes on with what it has.
    """
    with _beside(index) as trial:
        make(trial, head(index))
        if wbnode.files.same(trial, index):
            return False
        _make(trial, head(index))
        wbnode.files.take_place(trial, index)
    return True


def can_be_made(index: Path) -> bool:
    """Whether :func:`make` gives just this index."""
    with _beside(index) as trial:
        make(trial, head(index))
        return wbnode.files.same(trial, index)


def _make(index: Path, beginning: bytes) -> None:
    index.write_bytes(beginning)
    options = ["--no-defaults", "--silent", "--recover", "--quick", "--force"]
    options += [f"--sort_buffer_size={_SORT_BUFFER}", f"--tmpdir={index.parent}"]
    wbnode.minion.command(["myisamchk", *options, index], _MEND)


@contextlib.contextmanager
def _beside(index: Path) -> Iterator[Path]:
    """A place for another index of the same table, on the same file system."""
    with wbnode.files.scratch(index.parent.parent / ".incoming") as folder:
        # The index and the files in which it is sorted.
        wbnode.files.refuse_full(folder, 2 * index.stat().st_size)
        table = index.with_suffix(".MYD")
        os.link(table, folder / table.name)
        yield folder / index.name
