"""HAProxy's runtime API: who is in a pool, which pool is live, what is under way and answered.

What is set here is gone when HAProxy ends. So whoever calls this has written it first to the files
that HAProxy reads when it starts. Standard library and ``wbcore`` only.
"""

from __future__ import annotations

import contextlib
import csv
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from wbcore.errors import StepFailed
from wbcore.model import proxy_pools

# One that was killed is back by then.
BACK_SECONDS = 5
_POLL_SECONDS = 0.01
_ANSWER_SECONDS = 5
_CUT_SECONDS = 1
# Workers change over in some milliseconds.
_RELOAD_SECONDS = 1
_WAY_OUT = "run systemctl status wormbase-haproxy on the proxy"
_SESSION = re.compile(r"^(0x[0-9a-f]+): .* be=(\S+) srv=(\S+) ", re.MULTILINE)
_ANSWER = re.compile(r"^\d+ ([1-5]\d\d)$", re.MULTILINE)
_WORKER = re.compile(r"^(\d+) +worker ", re.MULTILINE)
_FORCED_MAINTENANCE = 1


@dataclass(frozen=True)
class HAProxy:
    """The HAProxy whose sockets are in a directory."""

    sockets: Path

    def settle(self, act: Callable[[], None]) -> None:
        """Give orders to the worker that accepts requests, and to its successor if a reload
        has begun: it may have read the files before they were written.

        Orders that reach now the one and now the other may be refused, and are given again."""
        until = time.monotonic() + _RELOAD_SECONDS
        while True:
            talked_to = self._worker()
            try:
                act()
            except StepFailed:
                if time.monotonic() > until:
                    raise
                time.sleep(_POLL_SECONDS)
            else:
                if self._workers()[:1] == [talked_to]:
                    return

    def set_map(self, path: Path, key: str, value: str) -> None:
        """Let an entry of a map have another value, from the next request on."""
        self._order(f"set map {path} {key} {value}")

    def set_servers(self, backend: str, servers: Mapping[str, str]) -> None:
        """Let exactly these servers of a backend get requests: name → ``address:port``."""
        known = self._servers(backend)
        for name in servers.keys() - known.keys():
            options = f"{servers[name]} {proxy_pools.SERVER_OPTIONS}"
            self._order(f"add server {backend}/{name} {options}", "New server registered.")
            self._order(f"enable health {backend}/{name}")
        # Those that come before those that go: the pool is never without any.
        now = self._servers(backend)
        for name in [name for name in servers if not now.get(name)]:
            self._order(f"set server {backend}/{name} state ready")
        for name in [name for name, ready in now.items() if ready and name not in servers]:
            self._order(f"set server {backend}/{name} state maint")

    def drain(
        self, backends: Collection[str], keep: Collection[str], patience: float, cut: bool
    ) -> int:
        """Return once no request of these backends is under way but to the servers to keep.

        patience
            Seconds until StepFailed, or with ``cut`` until what is still under way is cut.

        Returns how many requests were cut.
        """
        slow = left = self._wait(backends, keep, patience)
        if cut:
            for cut_short in slow:
                cut_short()
            left = self._wait(backends, keep, _CUT_SECONDS)
        if left:
            raise StepFailed(
                f"{len(left)} requests are still under way after {patience:.1f} s", _WAY_OUT
            )
        return len(slow)

    def answered(self, frontend: str) -> dict[str, int]:
        """Requests that a frontend has answered since HAProxy started: ``{answers, errors}``."""
        rows = csv.DictReader(self._tell("show stat -1 1 -1").removeprefix("# ").splitlines())
        row = next(row for row in rows if row["pxname"] == frontend)
        kinds = ("1xx", "2xx", "3xx", "4xx", "5xx", "other")
        answers = sum(int(row[f"hrsp_{kind}"]) for kind in kinds)
        return {"answers": answers, "errors": int(row["hrsp_5xx"])}

    def answered_lately(self) -> list[int]:
        """Statuses of the last answers, some three thousand of them."""
        return [int(status) for status in _ANSWER.findall(self._tell("show events answers"))]

    def _wait(
        self, backends: Collection[str], keep: Collection[str], seconds: float
    ) -> list[Callable[[], object]]:
        """What cuts each request that is under way after so many seconds; none ends the wait."""
        until = time.monotonic() + seconds
        while under_way := [*self._sessions(backends, keep), *self._older()]:
            if time.monotonic() > until:
                break
            time.sleep(_POLL_SECONDS)
        return under_way

    def _servers(self, backend: str) -> dict[str, bool]:
        """Of each server of a backend, whether it gets requests."""
        told = self._tell(f"show servers state {backend}").splitlines()
        rows = [line.split() for line in told if line.split()[1:2] == [backend]]
        return {row[3]: not int(row[6]) & _FORCED_MAINTENANCE for row in rows}

    def _sessions(
        self, backends: Collection[str], keep: Collection[str]
    ) -> Iterator[Callable[[], object]]:
        """What cuts each request that is under way."""
        for session, backend, server in _SESSION.findall(self._tell("show sess")):
            if backend in backends and server not in keep:
                yield partial(self._tell, f"shutdown session {session}")

    def _older(self) -> Iterator[Callable[[], object]]:
        """What ends each worker from before a reload: its requests went by older files."""
        for pid in self._workers()[1:]:
            yield partial(_end, pid)

    def _workers(self) -> list[int]:
        """The worker that accepts requests, and those before it that still have some."""
        return [int(pid) for pid in _WORKER.findall(self._tell("show proc", "master"))]

    def _worker(self) -> int:
        return int(re.findall(r"^Pid: (\d+)", self._tell("show info"), re.MULTILINE)[0])

    def _order(self, command: str, good: str = "") -> None:
        said = self._tell(command).strip()
        if said not in {"", good}:
            raise StepFailed(f"HAProxy refuses {command!r} and says {said!r}", _WAY_OUT)

    def _tell(self, command: str, whom: str = "admin") -> str:
        """What HAProxy answers; one that was killed is waited for."""
        until = time.monotonic() + BACK_SECONDS
        while True:
            try:
                return _said(self.sockets / f"{whom}.sock", command)
            except OSError as error:
                if time.monotonic() > until:
                    raise StepFailed(f"HAProxy does not answer: {error}", _WAY_OUT) from None
            time.sleep(_POLL_SECONDS)


def _said(path: Path, command: str) -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_SECONDS)
        connection.connect(str(path))
        connection.sendall(f"{command}\n".encode())
        connection.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: connection.recv(65536), b""))
    if not said:
        raise ConnectionResetError("it ended before it answered")
    return said.decode("utf-8", "replace")


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
