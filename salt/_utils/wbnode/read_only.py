"""Tables become read-only under a running MySQL server, and nobody who asks for them notices.

The server opens the files of a table as it did when the table was opened first, as long as anybody
uses it. After a ``chmod`` alone the next connection that needs such a table for itself is refused:
``Errcode: 13 "Permission denied"``. ``FLUSH TABLES`` comes too late, and does not help while
connections take turns. So the server lets nobody in, table by table, for the ``chmod``.
"""

from __future__ import annotations

import contextlib
import functools
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from wbcore.build.manifest import written_by_server
from wbcore.build.tables import Table, tables
from wbcore.errors import StepFailed

import wbnode.files

_LONGEST_SECONDS = 60
# Others wait behind a lock that waits, so it does not wait long, and not often.
_WAIT_SECONDS, _PAUSE_SECONDS = 1, 2
_TIMEOUT = 1205
_WRITING = 0o222
_ANSWERS_SECONDS = 600
_END = "end of the answer"


def make_read_only(socket: Path, folder: Path) -> None:
    """Take from the server at a socket, if one runs, the right to write to the tables in a folder
    of its data directory, under all names that lead there; StepFailed names a table that somebody
    reads for a minute."""
    writable = dict(_writable(folder))
    if not writable or not socket.exists():
        return
    with _session(socket) as session:
        session.ask(f"SET lock_wait_timeout = {_LONGEST_SECONDS}")
        for table, paths in writable.items():
            names = [str(Table(name, table.stem)) for name in _names(folder)]
            _close(session, names, functools.partial(_forbid_writing, paths))


@dataclass(frozen=True)
class _Session:
    """A login by the socket that keeps its locks from one statement to the next."""

    sent: IO[str]
    told: IO[str]

    def ask(self, statement: str) -> int:
        """Number of the error that a statement ends with; 0 for none."""
        number = 0
        # A client that has ended already has no answer either.
        with contextlib.suppress(BrokenPipeError):
            self.sent.write(f"{statement};\nSHOW ERRORS;\nSELECT '{_END}';\n")
            self.sent.flush()
        for line in self.told:
            if line.rstrip("\n") == _END:
                return number
            level, _, rest = line.partition("\t")
            number = int(rest.split("\t")[0]) if level == "Error" else number
        raise StepFailed(
            f"MySQL did not answer {statement[:80]!r}", "look at MariaDB's unit on this node"
        )


@contextlib.contextmanager
def _session(socket: Path) -> Iterator[_Session]:
    options = ["--batch", "--skip-column-names", "--force", "--unbuffered"]
    command = ["mariadb", "--no-defaults", f"--socket={socket}", *options]
    client = subprocess.Popen(
        [*command, "--default-character-set=utf8mb4"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
    )
    too_late = threading.Timer(_ANSWERS_SECONDS, client.kill)
    too_late.start()
    try:
        yield _Session(cast(IO[str], client.stdin), cast(IO[str], client.stdout))
    finally:
        too_late.cancel()
        client.kill()
        client.communicate()


def _close(session: _Session, names: list[str], change: Callable[[], object]) -> None:
    """Change the files of a table while nobody has it open."""
    locks = ", ".join(f"{name} WRITE" for name in names)
    until = time.monotonic() + _LONGEST_SECONDS
    while (error := session.ask(f"LOCK TABLES {locks} WAIT {_WAIT_SECONDS}")) == _TIMEOUT:
        if time.monotonic() > until:
            raise StepFailed(
                f"somebody has been reading {names[0]} for {_LONGEST_SECONDS} s",
                "see SHOW PROCESSLIST in MariaDB on this node; start again when it has ended",
            )
        time.sleep(_PAUSE_SECONDS)
    change()
    # Any error of a lock says that the table is read-only already, or can not be opened at all.
    # The flush closes it everywhere, and fails where it opens it for writing again.
    session.ask(f"FLUSH TABLES {', '.join(names)}")
    if not error:
        session.ask("UNLOCK TABLES")


def _writable(folder: Path) -> Iterator[tuple[Table, list[Path]]]:
    """The tables in a folder that can be written to, each with the files that let it."""
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.is_symlink()]
    for table in tables(folder.name, [path.name for path in files]):
        own = [path for path in files if _belongs(path.name, table) and _mode(path) & _WRITING]
        if own:
            yield table, own


def _belongs(path: str, table: Table) -> bool:
    """Whether a file is one of a table, or of its partitions, that only its users write."""
    rest = path.removeprefix(table.stem)
    return rest != path and rest.startswith((".", "#P#")) and not written_by_server(path)


def _forbid_writing(paths: list[Path]) -> None:
    for path in paths:
        wbnode.files.give(path.parent, path.name, (-1, -1), _mode(path) & ~_WRITING)


def _mode(path: Path) -> int:
    return path.lstat().st_mode & 0o7777


def _names(folder: Path) -> list[str]:
    """The names of the database in a folder: its own, and those of the links beside it."""
    links = (path for path in folder.parent.glob("[!.]*") if path.is_symlink())
    return [folder.name, *sorted(path.name for path in links if path.resolve() == folder.resolve())]
