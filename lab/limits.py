"""Limits of the machine's kernel that the nodes of several labs reach together."""

from __future__ import annotations

from pathlib import Path

# How many inotify instances a user may have: 128, of which each node's systemd takes six.
_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
_ENOUGH = 1024


def widen() -> None:
    """Let the machine have nodes enough for some labs; until its next boot, and never less."""
    if int(_INSTANCES.read_text()) < _ENOUGH:
        _INSTANCES.write_text(f"{_ENOUGH}\n")
