"""A release tried out beside what serves: AceDB and Starman of its own on spare ports."""

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wbcore.errors import StepFailed
from wbcore.settings import Settings

import wbnode.files
import wbnode.minion
from wbnode.acedb import AceClient

_SECONDS = 30
_POLL_SECONDS = 0.02
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Where the webapp's own script keeps pid files.
_RUN = "/run/wormbase-starman"
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
        end_server(port)
        _refuse_if_in_use(port, "AceDB")
        database = self.acedb / "database"
        absent = [name for name in _LEFT_BEHIND if not (database / name).exists()]
        with tempfile.TemporaryFile() as said:
            server = self._serve(port, said)
            try:
                _wait_for_acedb(server, port, said)
                yield
            finally:
                _end(server)
                _clean(database, absent, server.pid)

    @contextlib.contextmanager
    def webapp(self, databases: Mapping[str, str]) -> Iterator[None]:
        """The release's own Starman on its spare port, asking the new databases."""
        port = self.settings.webapp.preflight_port
        self._starman("stop", databases)
        _refuse_if_in_use(port, "Starman")
        try:
            self._starman("start", databases)
            yield
        finally:
            self._starman("stop", databases)

    def _serve(self, port: int, said: IO[bytes]) -> subprocess.Popen[bytes]:
        acedb = self.settings.acedb
        return subprocess.Popen(
            [*_as(acedb.user, acedb.group),
             "saceserver", str(self.acedb), str(port), "600:600:0"],
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_PATH}"},
            cwd="/", stdin=subprocess.DEVNULL, stdout=said, stderr=said,
            start_new_session=True,
        )  # fmt: skip

    def _starman(self, verb: str, databases: Mapping[str, str]) -> None:
        webapp = self.settings.webapp
        given = {
            "WORMBASE_APP": self.release.name,
            "WORMBASE_PORT": webapp.preflight_port,
            "WORMBASE_WORKERS": 1,
            "WORMBASE_USER": webapp.user,
            "WORMBASE_ACEDB_PORT": self.settings.acedb.preflight_port,
            "WORMBASE_MYSQL_DIRECTORIES": json.dumps(dict(databases)),
        }
        # Nothing of a release is run as root: who may commit to the webapp is not root here.
        wbnode.minion.command(
            ["install", "-d", "-o", webapp.user, "-g", webapp.group, _RUN],
            "apply this node's states first: state.apply",
        )
        wbnode.minion.command(
            [*_as(webapp.user, webapp.group), self.release / "bin/starman-production.sh", verb],
            "fix the webapp; the one that is live was not touched",
            env={**os.environ, **{name: str(value) for name, value in given.items()}},
            cwd=self.release,
            stdin=subprocess.DEVNULL,
        )


def end_server(port: int) -> None:
    """End the AceDB server of a preflight that died before it could do so itself."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if words[0].rpartition("/")[2] == "saceserver" and words[2:3] == [str(port)]:
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
                    f"AceDB does not serve the new database: {_last_words(said) or error}",
                    "look at the database on the development server; nothing was switched",
                ) from error
            time.sleep(_POLL_SECONDS)


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
