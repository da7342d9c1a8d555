"""Which files of a dataset stay where they are, by rsync's own exclude patterns."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ..datasets import ACEDB, MYSQL, SUPPORT, WEBAPP
from ..settings import Settings

# The running webapp writes here, so it is neither sealed nor verified.
_WRITTEN_BY_WEBAPP = ("/logs", "/tmp")


def left_out(settings: Settings, kind: str) -> Sequence[str]:
    """The patterns of what does not travel of a dataset of this kind (docs/field.md,
    "What the old scripts did")."""
    return {
        ACEDB: settings.datasets.acedb_exclude,
        MYSQL: settings.datasets.mysql_exclude,
        SUPPORT: settings.datasets.support_exclude,
        WEBAPP: _WRITTEN_BY_WEBAPP,
    }[kind]


def excluded(path: str, patterns: Sequence[str]) -> bool:
    """Whether rsync would leave out ``path`` itself (not: because of a folder above it).

    As in rsync, a pattern without a slash speaks of the last part of the path, one with a
    slash of its end, and one that begins with a slash of the whole path.
    """
    return any(_matches(path.split("/"), pattern) for pattern in patterns)


def _matches(parts: Sequence[str], pattern: str) -> bool:
    wanted = pattern.strip("/").split("/")
    if len(wanted) > len(parts) or (pattern.startswith("/") and len(wanted) != len(parts)):
        return False
    return all(
        fnmatchcase(part, want) for part, want in zip(parts[-len(wanted) :], wanted, strict=True)
    )
