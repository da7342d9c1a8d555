"""The packages of the distribution on this node, as dpkg itself keeps them."""

import functools
import re
from pathlib import Path

_INSTALLED = re.compile(
    r"^Package: (\S+)\n(?:[A-Z][^\n]*\n)*?Status: \w+ ok installed$", re.MULTILINE
)


def installed(root: Path) -> frozenset[str]:
    """The names of the packages that are installed."""
    status = root / "var/lib/dpkg/status"
    about = status.stat()
    return _names(status, about.st_ino, about.st_mtime_ns)


@functools.lru_cache(maxsize=1)
def _names(status: Path, inode: int, mtime_ns: int) -> frozenset[str]:
    """What the file holds; dpkg replaces it whole whenever something of it changes."""
    return frozenset(_INSTALLED.findall(status.read_text(encoding="utf-8", errors="replace")))
