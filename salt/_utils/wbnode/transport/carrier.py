"""Fetching from other nodes: one ssh connection to each, many rsync transfers in it."""

import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wbcore.errors import ReleaseError, StepFailed
from wbcore.layout import Layout
from wbcore.settings import Settings
from wbcore.transport import rsync
from wbcore.transport.rsync import Source

# A transfer ends with the job that began it, also when that is killed.
_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM")
_CONNECT_SECONDS = 20
_LINE_END = re.compile(r"[\r\n]")


class SourceFailed(ReleaseError):
    """A source could not give what was asked of it; another one may."""


@dataclass(frozen=True)
class Fetched:
    """What a transfer came to: bytes on the wire, and what could not be had."""

    received: int
    complaint: str


class Carrier:
    """Fetches files from sources; to be used in a ``with``, which ends its connections.

    node
        Id of this node.
    lock
        Descriptor that the transfers keep open: whoever holds a lock by it holds it until
        the last of them has ended.
    """

    def __init__(self, layout: Layout, settings: Settings, node: str, lock: int) -> None:
        self._keys = layout.carrier
        self._settings = settings
        self._node = node
        self._lock = lock
        self._connections: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> "Carrier":
        # The path of a socket may have some 100 bytes only.
        self._sockets = tempfile.TemporaryDirectory(prefix="wbcarrier-")
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._connections.values():
            connection.terminate()
            connection.wait()
        self._sockets.cleanup()

    def near(self, source: Source) -> bool:
        """Whether a source is reached without leaving this node's site."""
        return rsync.near(self._settings, self._node, source)

    def fetch(
        self,
        source: Source,
        module: str,
        folder: str,
        paths: Sequence[str],
        destination: Path,
        *,
        basis: Sequence[Path] = (),
        way: Sequence[str] = rsync.LIKE,
        tell: Callable[[int], object] = lambda done: None,
    ) -> Fetched:
        """Fetch ``paths`` of a folder of a source's module; SourceFailed when it breaks off.

        tell
            Called with the bytes that are done.
        """
        ssh = self._connected(source)
        level = rsync.compression(self._settings, self._node, source)
        argv = rsync.fetch_arguments(source, ssh, module, destination, basis, way, level)
        with tempfile.TemporaryFile() as names, tempfile.TemporaryFile() as errors:
            names.write(rsync.file_list(folder, paths))
            names.seek(0)
            code, output = self._run(argv, names, errors, tell)
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        if rsync.disk_full(said):
            raise StepFailed(
                f"the disk of {destination} is full", "purge an older build and start again"
            )
        if code not in (0, *rsync.PARTIAL):
            raise SourceFailed(_reason(said, f"rsync ended with {code}"), "", source.node)
        return Fetched(rsync.received(output), _reason(said, "") if code else "")

    def _run(
        self,
        argv: Sequence[str],
        names: IO[bytes],
        errors: IO[bytes],
        tell: Callable[[int], object],
    ) -> tuple[int, str]:
        """Exit code and the last lines of what a transfer prints; its progress is reported."""
        with subprocess.Popen(
            [*_WITH_PARENT, *argv],
            stdin=names,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=(self._lock,),
        ) as process:
            lines: list[str] = []
            try:
                for line in _lines(process.stdout):
                    done = rsync.progress(line)
                    if done is None:
                        lines.append(line)
                    else:
                        tell(done)
            except BaseException:
                process.terminate()
                raise
        return process.returncode, "\n".join(lines)

    def _connected(self, source: Source) -> list[str]:
        """The ssh command of a source, after its connection stands."""
        control = Path(self._sockets.name) / source.node
        ssh = rsync.ssh_arguments(self._settings, self._keys, control)
        old = self._connections.get(source.node)
        if old is None or old.poll() is not None:
            control.unlink(missing_ok=True)
            self._connections[source.node] = self._connect([*ssh, "-M", "-N"], source, control)
        return ssh

    def _connect(
        self, ssh: Sequence[str], source: Source, control: Path
    ) -> subprocess.Popen[bytes]:
        with tempfile.TemporaryFile() as errors:
            connection = subprocess.Popen(
                [*_WITH_PARENT, *ssh, source.address],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
            until = time.monotonic() + _CONNECT_SECONDS
            while not control.exists() and connection.poll() is None and time.monotonic() < until:
                time.sleep(0.02)
            if control.exists():
                return connection
            connection.terminate()
            connection.wait()
            errors.seek(0)
            said = errors.read().decode(errors="replace")
        raise SourceFailed(_reason(said, "it does not answer"), "", source.node)


def _lines(stream: IO[bytes] | None) -> Iterator[str]:
    """Lines as they come; rsync ends those of its progress with a carriage return."""
    rest = ""
    while stream is not None and (piece := stream.read1(1 << 16)):  # type: ignore[attr-defined]
        *lines, rest = _LINE_END.split(rest + piece.decode(errors="replace"))
        yield from lines
    yield rest


def _reason(errors: str, otherwise: str) -> str:
    """The line of rsync's or ssh's errors that says most: the first."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[0][:300] if lines else otherwise
