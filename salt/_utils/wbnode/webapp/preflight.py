"""A release tried out beside what serves: AceDB and Starman of its own on spare ports."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wbcore.build.counts import classes
from wbcore.errors import BadRequest, StepFailed
from wbcore.preflight_conf import preflight_conf
from wbcore.settings import Settings

import wbnode.files
from wbnode.acedb import AceClient
from wbnode.webapp.trial import Trial

_SECONDS = 30
_POLL_SECONDS = 0.02
_LOOK = "look at the database on the development server; nothing was switched"
_FOUND = re.compile(r"^// Found [1-9]\d* objects", re.MULTILINE)
# What a server leaves in its database's directory; none of it is part of a dataset.
_LEFT_BEHIND = ("serverlog.wrm", "log.wrm", "SERVER_PIDFILE.wrm", "readlocks")


@dataclass(frozen=True)
class Preflight:
    """The servers of a release's preflight on this node."""

    settings: Settings
    acedb: Path
    release: Path

    @contextlib.contextmanager
    def database(self) -> Iterator[None]:
        """AceDB serves the new directory on its spare port; as if never, afterwards."""
        port = self.settings.acedb.preflight_port
        end_server(self.settings.acedb.server, port)
        _refuse_if_in_use(port, "AceDB")
        database = self.acedb / "database"
        absent = [name for name in _LEFT_BEHIND if not (database / name).exists()]
        with tempfile.TemporaryFile() as said:
            server = self._serve(port, said)
            try:
                _wait_for_acedb(server, port, said)
                _ask_classes(port)
                yield
            finally:
                _end(server)
                _clean(database, absent, server.pid)

    @contextlib.contextmanager
    def webapp(self, databases: Mapping[str, str]) -> Iterator[None]:
        """The release under Starman on its spare port, asking the new databases."""
        webapp, port = self.settings.webapp, self.settings.acedb.preflight_port
        _refuse_if_in_use(webapp.preflight_port, "Starman")
        configuration = preflight_conf(self._template(), port, databases)
        with Trial(webapp, self.release, configuration).serving():
            yield

    def _template(self) -> str:
        told = self.settings.webapp.preflight_conf
        if "\n" in told:
            return told
        try:
            with wbnode.files.open_file(self.release / told) as file:
                return file.read().decode()
        except OSError as error:
            raise BadRequest(
                f"{self.release.name} has no file {told}, which webapp:preflight_conf names",
                "commit it to the webapp, or give the text itself in the pillar",
            ) from error

    def _serve(self, port: int, said: IO[bytes]) -> subprocess.Popen[bytes]:
        acedb = self.settings.acedb
        return subprocess.Popen(
            [*_as(acedb.user, acedb.group),
             acedb.server, str(self.acedb), str(port), "600:600:0"],
            cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip


def end_server(program: str, port: int) -> None:
    """End the AceDB server of a preflight that died before it could do so itself.

    program
        The path of the server's program.
    """
    name = os.path.basename(program)
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if os.path.basename(words[0]) == name and words[2:3] == [str(port)]:
                os.kill(int(folder.name), 15)
                while folder.exists():
                    time.sleep(_POLL_SECONDS)


def _as(user: str, group: str) -> list[str]:
    """The words that let a command run as a user."""
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups"]


def _refuse_if_in_use(port: int, who: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError as error:
            raise StepFailed(
                f"port {port}, where {who} of the new release would be tried, is in use",
                "end what listens there (ss -ltnp), or set another preflight_port in the pillar",
            ) from error


def _wait_for_acedb(server: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
    until = time.monotonic() + _SECONDS
    while True:
        try:
            with AceClient(port, timeout=_SECONDS) as client:
                client.name()
            return
        except OSError as error:
            if server.poll() is not None or time.monotonic() > until:
                raise StepFailed(
                    f"AceDB does not serve the new database: {_last_words(said) or error}", _LOOK
                ) from error
            time.sleep(_POLL_SECONDS)


def _ask_classes(port: int) -> None:
    """Have the server find the objects of each class that has any, and show one."""
    try:
        with AceClient(port, timeout=_SECONDS) as client:
            counted = classes(client.ask("classes"))
    except (OSError, ValueError) as error:
        raise StepFailed(f"AceDB of the new database tells no classes: {error}", _LOOK) from error
    silent = {name: why for name in counted if (why := _class_fault(port, name))}
    if silent:
        told = ", ".join(f"{name} ({why})" for name, why in silent.items())
        raise StepFailed(
            f"AceDB of the new database does not answer queries of its classes: {told}", _LOOK
        )


def _class_fault(port: int, name: str) -> str:
    """Why there is no answer; each class is asked anew, since a server may end at one."""
    try:
        with AceClient(port, timeout=_SECONDS) as client:
            found = client.ask(f"find {name}")
            client.ask("show -b 0 -c 1")
    except (OSError, StepFailed) as error:
        return str(error)
    return "" if _FOUND.search(found) else "it finds none"


def _last_words(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip(" /\n").splitlines()
    return lines[-1].strip(" /") if lines else ""


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _clean(database: Path, absent: list[str], pid: int) -> None:
    for path in [*(database / name for name in absent), *database.glob(f"readlocks/*.{pid}")]:
        wbnode.files.remove(path)
