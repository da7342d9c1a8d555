"""The lock of a run: held by the kernel for the process, so that it frees itself."""

from __future__ import annotations

import fcntl
import json
import os
import time
from pathlib import Path
from typing import IO, Any

_TRIES = 5
_BETWEEN = 0.01


class RunLock:
    """An exclusive lock on a file in which its holder writes who it is, for people."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def take(self, holder: dict[str, Any]) -> bool:
        """Take the lock and write ``holder`` into it; False when somebody else has it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self.path, "a+", encoding="utf-8")  # noqa: SIM115 - held for the run
        if not _lock(file):
            file.close()
            return False
        # What a run starts (ssh, a detached child) must not keep the lock after it.
        os.set_inheritable(file.fileno(), False)
        file.truncate(0)
        file.write(json.dumps(holder))
        file.flush()
        self._file = file
        return True

    def release(self) -> None:
        """Give the lock back."""
        if self._file:
            # Who comes next must not be taken for who was here before.
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def free(self) -> bool:
        """Whether nobody holds the lock at this moment."""
        try:
            with open(self.path, encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return True
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False

    def holder(self) -> dict[str, Any]:
        """What the holder wrote, or nothing in the moment before it has written."""
        try:
            return dict(json.loads(self.path.read_text(encoding="utf-8") or "{}"))
        except (FileNotFoundError, ValueError):
            return {}


def _lock(file: IO[str]) -> bool:
    # Whoever only looks whether the lock is free has it for less than a moment.
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_BETWEEN)
        else:
            return True
    return False
