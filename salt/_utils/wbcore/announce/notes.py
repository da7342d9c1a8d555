"""The release notes as text, whatever the editor of whoever wrote them has made of it."""

from __future__ import annotations


def decoded(data: bytes) -> str:
    """Notes in UTF-8. A line that is none is taken for cp1252, which holds all of Latin-1 that
    can be read: notes may have been put together from several files."""
    return "".join(map(_line, data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)))


def _line(line: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            return line.decode(encoding)
        except UnicodeDecodeError:
            continue
    # cp1252 leaves five bytes without a meaning; Latin-1 leaves none.
    return line.decode("latin-1")
