"""The ledger, for a user who may only read it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from wbcore.errors import BadData
from wbmaster.ledger import Ledger

_TRIES = 20
_PAUSE_SECONDS = 0.05
# A file system tells times of change no finer than this.
_COARSE_SECONDS = 0.02


class ReadLedger(Ledger):
    """The ledger; whatever writes is refused by SQLite."""

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        error: sqlite3.Error | None = None
        for _ in range(_TRIES):
            try:
                return self._read(query, values)
            except _Changed:
                pass
            except sqlite3.Error as trouble:
                error = trouble
            time.sleep(_PAUSE_SECONDS)
        raise BadData(
            f"the ledger {self.path} can not be read ({error or 'it changes all the time'})",
            "see to its disk, or put a copy of it back",
        ) from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        with closing(self._connect("mode=ro")) as connection:
            yield connection

    def _read(self, query: str, values: tuple[Any, ...]) -> list[dict[str, Any]]:
        if os.path.exists(f"{self.path}-wal"):
            with self._open() as connection:
                return [dict(row) for row in connection.execute(query, values)]
        # Nobody has the ledger open. SQLite would now make two files beside it, which the board
        # may not; so it is read as a file that does not change, unless it did.
        before = self._state()
        with closing(self._connect("immutable=1")) as connection:
            rows = [dict(row) for row in connection.execute(query, values)]
        if self._state() != before or time.time() - before[1] / 1e9 < _COARSE_SECONDS:
            raise _Changed
        return rows

    def _connect(self, how: str) -> sqlite3.Connection:
        connection = sqlite3.connect(f"file:{self.path}?{how}", uri=True, timeout=1)
        connection.row_factory = sqlite3.Row
        return connection

    def _state(self) -> tuple[int, int, int, bool]:
        about = os.stat(self.path)
        wal = os.path.exists(f"{self.path}-wal")
        return about.st_ino, about.st_mtime_ns, about.st_size, wal


class _Changed(Exception):
    """Somebody wrote while the ledger was read."""
