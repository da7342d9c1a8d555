"""Who owns the files of a dataset on a node, and their modes.

Source: docs/field.md, "What the old scripts did": group ``acedb`` and writable blocks for AceDB,
mode 2775 and ``mysql`` for databases, a world-writable ``logs`` for the webapp.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..build.manifest import written_by_server
from ..datasets import ACEDB, MYSQL
from ..settings import Settings
from .excludes import excluded

# The AceDB server opens these for writing, whoever starts it.
_WRITTEN_BY_ACEDB = ("database/block*", "database/log.wrm", "database/serverlog.wrm")
LOGS_MODE = 0o777


@dataclass(frozen=True)
class Ownership:
    """Owner of everything in a dataset, and the mode of its folders."""

    user: str
    group: str
    folder_mode: int


def ownership(settings: Settings, kind: str) -> Ownership:
    """The owner and group of datasets of a kind, and the mode of their folders."""
    if kind == ACEDB:
        return Ownership(settings.acedb.user, settings.acedb.group, 0o2775)
    if kind == MYSQL:
        return Ownership(settings.mysql.user, settings.mysql.group, 0o2775)
    return Ownership("root", "root", 0o755)


def file_mode(kind: str, path: str, mode: int) -> int:
    """The mode of a file on a node, from its mode on the development server.

    A table that can not be written is opened read-only by its server. MariaDB would else
    write to the index of a table that nobody changes, when it checks or analyses it, and the
    files would no longer be what was sealed. Only the state of a CSV table it must be able to
    write, or it does not open that.
    """
    if kind == ACEDB:
        return 0o666 if excluded(path, _WRITTEN_BY_ACEDB) else (mode & 0o777) | 0o664
    if kind == MYSQL:
        return (mode & 0o775) | 0o660 if written_by_server(path) else (mode & 0o555) | 0o440
    return (mode & 0o755) | 0o444
