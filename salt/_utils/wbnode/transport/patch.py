"""Patches between stretches of files, by zstd and bsdiff."""

import contextlib
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, cast

from wbcore.errors import StepFailed
from wbcore.transport.parcels import BSDIFF, ZSTD, Piece

import wbnode.minion

# Half a megabyte takes bsdiff a tenth of a second, unless it repeats itself without end.
_BSDIFF_SECONDS = 10
_CHUNK = 1 << 20
_LOOK = "see that zstd and bsdiff are installed and the disk has room, and start again"


def make(how: str, level: int, base: Path | None, new: Path, part: Path) -> str:
    """Make the patch from one file to another; without a base it is the file, compressed.

    Returns how it was made: by zstd after all when bsdiff takes too long.
    """
    if how == BSDIFF and base:
        with contextlib.suppress(StepFailed):
            wbnode.minion.command(["bsdiff", base, new, part], _LOOK, timeout=_BSDIFF_SECONDS)
            return BSDIFF
    like = [f"--patch-from={base}"] if base else []
    wbnode.minion.command(
        ["zstd", "-q", "-f", f"-{level}", "--long=31", *like, new, "-o", part], _LOOK
    )
    return ZSTD


@contextlib.contextmanager
def applied(how: str, base: Path | None, part: Path, scratch: Path) -> Iterator[IO[bytes]]:
    """The bytes that a patch gives, as a stream; it ends early when the patch is broken."""
    if how == BSDIFF and base:
        made = scratch / "made"
        wbnode.minion.command(["bspatch", base, made, part], _LOOK)
        with made.open("rb") as stream:
            yield stream
        return
    like = [f"--patch-from={base}"] if base else []
    with subprocess.Popen(
        ["zstd", "-q", "-d", "-c", "--long=31", *like, part],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        yield cast(IO[bytes], process.stdout)


def joined(root: Path, pieces: Sequence[Piece], beside: Path) -> Path:
    """A file with these pieces of the files below ``root``, one behind the other: the file
    itself when it is all there is, else a copy at ``beside``."""
    if len(pieces) == 1:
        path = root / pieces[0].path
        if (pieces[0].offset, pieces[0].size) == (0, path.stat().st_size):
            return path
    with beside.open("wb") as stream:
        for piece in pieces:
            for chunk in _read(root / piece.path, piece):
                stream.write(chunk)
    return beside


def _read(path: Path, piece: Piece) -> Iterator[bytes]:
    left = piece.size
    with path.open("rb", buffering=0) as stream:
        stream.seek(piece.offset)
        while left and (chunk := stream.read(min(left, _CHUNK))):
            left -= len(chunk)
            yield chunk
    if left:
        raise StepFailed(f"{path} is shorter than it was when it was sealed", _LOOK)
