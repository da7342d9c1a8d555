"""nginx on the proxy: its pools, its flags, its workers, its way to ask single nodes.

Standard library and ``wbcore`` only: the keeper of the maintenance page runs it with the
distribution's Python, without Salt.
"""

import contextlib
import fcntl
import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from wbcore.errors import StepFailed
from wbcore.golive import canary
from wbcore.layout import Layout
from wbcore.model import proxy_pools
from wbcore.model.proxy_pools import Lease

_POLL_SECONDS = 0.01
_BODY_BYTES = 64 * 1024
# A page that is only measured stays here, so it may be large.
_PAGE_BYTES = 64 * 1024 * 1024
# Some two thousand answers of the log.
_LATELY_BYTES = 256 * 1024
_STATUS = re.compile(rb'" ([1-5][0-9]{2}) [0-9]+ "')
_LOOK = "look at nginx and its error log on the proxy"


@dataclass(frozen=True)
class Proxy:
    """The files that nginx reads and the processes that read them."""

    layout: Layout

    @property
    def live(self) -> str:
        """The pool that serves."""
        return "b" if self._flag.exists() else "a"

    def pool(self, pool: str) -> Path:
        """The file of a pool."""
        return self.layout.proxy / f"pool_{pool}.conf"

    def pooled(self, pool: str) -> dict[str, str]:
        """The nodes in a pool: id → ``address:port``."""
        try:
            return proxy_pools.servers(self.pool(pool).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}

    def lease(self) -> Lease | None:
        """The lease of the maintenance page, while the page is up."""
        try:
            return Lease.parse(json.loads(self._maintenance.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else moves a pool or a flag meanwhile."""
        with open(self.layout.proxy / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def write_pool(self, pool: str, text: str) -> None:
        """Replace the file of a pool; what was there comes back if nginx refuses it."""
        path = self.pool(pool)
        before = path.read_text(encoding="utf-8") if path.exists() else None
        _replace(path, text)
        try:
            self.check()
        except StepFailed:
            if before is not None:
                _replace(path, before)
            raise

    def change_over(self, pool: str) -> None:
        """Let a pool be the live one, from the next request on."""
        if pool == "b":
            _replace(self._flag, "")
        else:
            self._flag.unlink(missing_ok=True)

    def page_up(self, lease: Lease) -> None:
        """Answer every request from now on with the maintenance page."""
        _replace(self._maintenance, json.dumps(lease.plain()))

    def page_down(self) -> None:
        """Serve again."""
        self._maintenance.unlink(missing_ok=True)

    def check(self) -> None:
        """StepFailed unless nginx accepts its configuration."""
        argv = ["nginx", "-t", "-q", "-c", str(self.layout.root / "etc/nginx/nginx.conf")]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["nothing"])[0]
            raise StepFailed(f"nginx refuses its configuration and says {said!r}", _LOOK)

    def reload(self, patience: float, cut: bool = False) -> dict[str, Any]:
        """Reload nginx, and return once no worker from before lives: then no request that
        read a pool or a flag before is under way.

        patience
            Seconds until StepFailed, or with ``cut`` until what is still under way is cut.

        Returns the seconds that it took and how many workers were cut.
        """
        began = time.monotonic()
        master = self._master()
        before = _children(master)
        os.kill(master, signal.SIGHUP)
        left = _wait_until_gone(before, began + patience)
        if left and cut:
            for pid, _ in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            slow, left = left, _wait_until_gone(left, time.monotonic() + 1)
        else:
            slow = set()
        if left:
            raise StepFailed(
                f"{len(left)} nginx workers from before the reload still live after"
                f" {time.monotonic() - began:.1f} s",
                _LOOK,
            )
        return {"seconds": round(time.monotonic() - began, 3), "cut": len(slow)}

    def ask(
        self, port: int, path: str, nodes: Iterable[str], timeout: float, measure: bool = False
    ) -> dict[str, dict[str, Any]]:
        """Ask each node through nginx, maintenance or not: ``{node: {status, seconds, body}}``.

        A body of JSON comes parsed; status 0 has the error as its body. With ``measure`` there
        are the ``numbers`` of a page, see :func:`wbcore.golive.canary.numbers`, in its place.
        """
        paths = {node: f"/node/{node}{path}" for node in nodes}
        return _each(paths, partial(_get, port, timeout=timeout, measure=measure))

    def reports(self, port: int, nodes: Iterable[str], timeout: float) -> dict[str, dict[str, Any]]:
        """Ask each node through nginx what it serves, in the form of :meth:`ask`."""
        paths = {node: f"/served/{node}" for node in nodes}
        return _each(paths, partial(_get, port, timeout=timeout, measure=False))

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """One keeper at a time, which holds this lock for as long as it lives."""
        with open(self._keeper, "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def refuse_without_keeper(self, patience: float) -> None:
        """StepFailed unless a keeper lives, who ends a maintenance page; one that was killed is
        started again within ``patience`` seconds."""
        until = time.monotonic() + patience
        while not self._has_keeper():
            if time.monotonic() > until:
                raise StepFailed(
                    "no keeper runs that would end the maintenance page",
                    "run systemctl start wormbase-keeper on the proxy, or apply its states",
                )
            time.sleep(_POLL_SECONDS)

    def _has_keeper(self) -> bool:
        """Whether a keeper holds its lock."""
        with open(self._keeper, "a", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def answered_lately(self) -> tuple[list[int], int]:
        """Statuses of the last answers that the log holds, and where in it the next will be."""
        size = self._log.stat().st_size if self._log.exists() else 0
        return self.answered(max(0, size - _LATELY_BYTES)), size

    def answered(self, place: int) -> list[int]:
        """Statuses of the answers since a place in the log; one that was rotated is new."""
        try:
            with open(self._log, "rb") as log:
                log.seek(place if place <= os.fstat(log.fileno()).st_size else 0)
                return [int(status) for status in _STATUS.findall(log.read())]
        except FileNotFoundError:
            return []

    @property
    def _log(self) -> Path:
        return self.layout.root / "var/log/nginx/access.log"

    @property
    def _keeper(self) -> Path:
        return self.layout.proxy / "keeper.lock"

    @property
    def _flag(self) -> Path:
        return self.layout.proxy / "live_b"

    @property
    def _maintenance(self) -> Path:
        return self.layout.proxy / "maintenance"

    def _master(self) -> int:
        try:
            pid = int((self.layout.root / "run/nginx.pid").read_text(encoding="ascii"))
            os.kill(pid, 0)
        except (OSError, ValueError):
            raise StepFailed("nginx does not run", "start it: systemctl start nginx") from None
        return pid


def _each(
    paths: Mapping[str, str], get: Callable[[str], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """The answers of all nodes, asked at the same moment."""
    with ThreadPoolExecutor(max(1, len(paths))) as threads:
        return dict(zip(paths, threads.map(get, paths.values()), strict=True))


def _get(port: int, path: str, timeout: float, measure: bool) -> dict[str, Any]:
    """One answer. A page that is longer than may be read is an error, not a shorter page."""
    most = _PAGE_BYTES if measure else _BODY_BYTES
    began = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        page = response.read(most + 1)
        if len(page) > most:
            raise ValueError(f"its page is longer than {most} bytes")
        text = page.decode("utf-8", "replace")
        plain = "json" not in response.getheader("Content-Type", "")
        status, body = response.status, text if plain else json.loads(text)
    except (OSError, http.client.HTTPException, ValueError) as error:
        status, body = 0, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    told = {"numbers": canary.numbers(body)} if measure and status else {"body": body}
    return {"status": status, "seconds": round(time.monotonic() - began, 3), **told}


def _children(parent: int) -> set[tuple[int, str]]:
    """Processes of a parent, each with its start, since a number may be used again."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        facts = _stat(stat)
        if facts and facts[1] == str(parent):
            found.add((int(stat.parent.name), facts[19]))
    return found


def _stat(path: Path) -> list[str]:
    """The fields of a process after its name: state, parent, …; none if it is gone."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def _wait_until_gone(processes: set[tuple[int, str]], until: float) -> set[tuple[int, str]]:
    left = processes
    while left:
        left = {one for one in left if _lives(*one)}
        if not left or time.monotonic() > until:
            break
        time.sleep(_POLL_SECONDS)
    return left


def _lives(pid: int, start: str) -> bool:
    facts = _stat(Path(f"/proc/{pid}/stat"))
    return bool(facts) and facts[19] == start and facts[0] != "Z"


def _replace(path: Path, text: str) -> None:
    """Write a file whole: after a power cut it is the old one or the new one."""
    beside = path.with_name(f".{path.name}.new")
    with open(beside, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


def served(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The bodies of the answers with status 200: what each node said that it serves."""
    return {node: answer["body"] for node, answer in answers.items() if answer["status"] == 200}
