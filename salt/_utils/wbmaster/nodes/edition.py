"""Which edition of the pillar's files a node goes by.

A minion keeps the pillar that it has until somebody refreshes it, so whoever edits a file and gives
a command at once would have the nodes go by the old one.
"""

from __future__ import annotations

import contextlib
import hashlib
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path


def edition(pillar_roots: Mapping[str, Iterable[str]]) -> str:
    """A digest of the names, sizes and times of all files of the pillar but the hidden ones.

    Their contents are left out: every node knows the digest, and could try passwords on it.

    pillar_roots
        Salt's option of that name: environment → directories.
    """
    facts = hashlib.sha256()
    for root in sorted(root for roots in pillar_roots.values() for root in roots):
        for path in sorted(Path(root).rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
            # What an editor removes at this moment is none of the pillar's.
            with contextlib.suppress(FileNotFoundError):
                seen = path.stat()
                if stat.S_ISREG(seen.st_mode) and not hidden:
                    facts.update(f"{path}\0{seen.st_size}\0{seen.st_mtime_ns}\n".encode())
    return facts.hexdigest()[:16]
