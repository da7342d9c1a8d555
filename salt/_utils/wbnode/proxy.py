"""The proxy: its pools and its maintenance page, in HAProxy and on disk, and its way to ask nodes.

Everything is written to disk before HAProxy is told, so that one that starts again goes on with it.
Standard library and ``wbcore`` only: the keeper of the maintenance page runs it with the
distribution's Python, without Salt.
"""

import contextlib
import fcntl
import http.client
import json
import os
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from wbcore.errors import StepFailed
from wbcore.golive import canary
from wbcore.layout import Layout
from wbcore.model import proxy_pools
from wbcore.model.proxy_pools import POOLS, Lease

from wbnode.haproxy import HAProxy

_POLL_SECONDS = 0.01
_BODY_BYTES = 64 * 1024
# A page that is only measured stays here, so it may be large.
_PAGE_BYTES = 64 * 1024 * 1024
_FRONTEND = "wormbase"


@dataclass(frozen=True)
class Proxy:
    """The files that HAProxy reads when it starts, and HAProxy itself."""

    layout: Layout

    @property
    def live(self) -> str:
        """The pool that serves."""
        return self._entries["live"]

    def pool(self, pool: str) -> Path:
        """The file of a pool."""
        return self.layout.proxy / f"pool_{pool}.cfg"

    def pooled(self, pool: str) -> dict[str, str]:
        """The nodes in a pool: id → ``address:port``."""
        return proxy_pools.parse(_text(self.pool(pool), ""))

    def lease(self) -> Lease | None:
        """The lease of the maintenance page, while the page is up."""
        text = _text(self._lease, "")
        return Lease.parse(json.loads(text)) if text else None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else moves a pool or the page meanwhile; what somebody who died has written is
        first carried out."""
        with open(self.layout.proxy / "lock", "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.interrupted:
                self._carry_out()
            yield

    @property
    def interrupted(self) -> bool:
        """Whether HAProxy was not told all that is written, or is being told just now."""
        return self._begun.exists()

    def missing(self) -> dict[str, str]:
        """The files without which HAProxy does not start, that are not there: name → text."""
        texts = {self.pool(pool): proxy_pools.render(pool, {}) for pool in POOLS}
        texts[self._map] = proxy_pools.render_map(self._entries)
        return {path.name: text for path, text in texts.items() if not path.exists()}

    def lay(self, name: str, text: str) -> None:
        """Write a file before HAProxy starts."""
        self.layout.proxy.mkdir(parents=True, exist_ok=True)
        _replace({self.layout.proxy / name: text})

    def set_pool(
        self, pool: str, nodes: Mapping[str, str], patience: float, cut: bool = False
    ) -> dict[str, Any]:
        """Let exactly these nodes be in a pool, and return once no request to any other is
        under way.

        patience
            Seconds until StepFailed, or with ``cut`` until what is still under way is cut.

        Returns the seconds that it took and how many requests were cut.
        """
        self._write({self.pool(pool): proxy_pools.render(pool, nodes)})
        return self._drained([pool], proxy_pools.servers(nodes), patience, cut)

    def change_over(self, pool: str) -> None:
        """Let a pool be the live one, from the next request on."""
        self._write({self._map: self._with(live=pool)})

    def page_up(self, lease: Lease) -> None:
        """Answer every request from now on with the maintenance page."""
        self._write({self._lease: json.dumps(lease.plain()), self._map: self._with(page="up")})

    def page_down(self) -> None:
        """Serve again."""
        self._write({self._map: self._with(page="down")})
        self._lease.unlink(missing_ok=True)

    def drain(self, patience: float) -> dict[str, Any]:
        """Return once no request to a web node is under way, in the form of :meth:`set_pool`."""
        return self._drained(POOLS, {}, patience, cut=True)

    def ask(
        self, where: Mapping[str, str], path: str, timeout: float, measure: bool = False
    ) -> dict[str, dict[str, Any]]:
        """Ask each node, maintenance or not: ``{node: {status, seconds, body}}``.

        where
            Node id → ``address:port``.

        A body of JSON comes parsed; status 0 has the error as its body. With ``measure`` there
        are the ``numbers`` of a page, see :func:`wbcore.golive.canary.numbers`, in its place.
        """
        get = partial(_get, path=path, timeout=timeout, measure=measure)
        with ThreadPoolExecutor(max(1, len(where))) as threads:
            return dict(zip(where, threads.map(get, where.values()), strict=True))

    def reports(self, where: Mapping[str, str], timeout: float) -> dict[str, dict[str, Any]]:
        """Ask the report of each node what it serves, in the form of :meth:`ask`."""
        return self.ask(where, "/served", timeout)

    def answered(self) -> dict[str, int]:
        """Requests answered since HAProxy started, and of these with 5xx: ``{answers, errors}``."""
        return self._haproxy.answered(_FRONTEND)

    def answered_lately(self) -> list[int]:
        """Statuses of the last answers."""
        return self._haproxy.answered_lately()

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

    @property
    def _keeper(self) -> Path:
        return self.layout.proxy / "keeper.lock"

    @property
    def _map(self) -> Path:
        return self.layout.proxy / "site.map"

    @property
    def _lease(self) -> Path:
        return self.layout.proxy / "maintenance"

    @property
    def _begun(self) -> Path:
        return self.layout.proxy / "begun"

    @property
    def _haproxy(self) -> HAProxy:
        return HAProxy(self.layout.haproxy)

    @property
    def _entries(self) -> dict[str, str]:
        return proxy_pools.parse_map(_text(self._map, ""))

    def _with(self, **changed: str) -> str:
        return proxy_pools.render_map({**self._entries, **changed})

    def _write(self, texts: Mapping[Path, str]) -> None:
        self._begun.touch()
        _replace(texts)
        self._carry_out()

    def _carry_out(self) -> None:
        """Have HAProxy go by what is written."""
        self._haproxy.settle(self._tell)
        self._begun.unlink(missing_ok=True)

    def _tell(self) -> None:
        for pool in POOLS:
            servers = proxy_pools.servers(self.pooled(pool))
            self._haproxy.set_servers(proxy_pools.backend(pool), servers)
        for key, value in self._entries.items():
            self._haproxy.set_map(self._map, key, value)

    def _drained(
        self, pools: Collection[str], keep: Collection[str], patience: float, cut: bool
    ) -> dict[str, Any]:
        began = time.monotonic()
        backends = [proxy_pools.backend(pool) for pool in pools]
        slow = self._haproxy.drain(backends, keep, patience, cut)
        return {"seconds": round(time.monotonic() - began, 3), "cut": slow}


def _get(where: str, path: str, timeout: float, measure: bool) -> dict[str, Any]:
    """One answer. A page that is longer than may be read is an error, not a shorter page."""
    most = _PAGE_BYTES if measure else _BODY_BYTES
    began = time.monotonic()
    connection = http.client.HTTPConnection(where, timeout=timeout)
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


def _text(path: Path, missing: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return missing


def _replace(texts: Mapping[Path, str]) -> None:
    """Write files of one directory, in this order; each is whole after a power cut, and new if
    this has returned."""
    for path, text in texts.items():
        beside = path.with_name(f".{path.name}.new")
        with open(beside, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def served(answers: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The bodies of the answers with status 200: what each node said that it serves."""
    return {node: answer["body"] for node, answer in answers.items() if answer["status"] == 200}
