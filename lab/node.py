"""One node: its disk, its namespaces, its processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import cgroups
from .command import LabError, run
from .place import Place

_SCRIPT = Path(__file__).resolve().parent / "files" / "node.sh"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOT_SECONDS = 120.0
_BOOTED = {"running", "degraded"}
# What process 1 is called once it is systemd.
_INITS = ("init\n", "systemd\n")


@dataclass(frozen=True)
class Node:
    """A node of a lab, up or down."""

    place: Place
    name: str

    @property
    def disk(self) -> Path:
        return self.place.disk(self.name)

    @property
    def upper(self) -> Path:
        """What the node has written outside ``/usr/local``, seen from the machine."""
        return self.disk / "upper"

    def processes(self) -> list[int]:
        """Ids, on the machine, of all processes in the node's network namespace."""
        told = run("ip", "netns", "pids", self.place.namespace(self.name), check=False)
        return [int(line) for line in told.split()]

    @property
    def init(self) -> int | None:
        """Id, on the machine, of the node's process 1; None when the node is down."""
        for pid in self.processes():
            with contextlib.suppress(OSError):
                if _is_init(pid):
                    return pid
        return None

    def format(self, layers: Sequence[Path], megabytes: int | None) -> None:
        """Give the node an empty disk; with ``megabytes`` its ``/usr/local`` is that small."""
        for part in ("upper/var/log", "work", "root"):
            (self.disk / part).mkdir(parents=True)
        contents = [layer / "usr/local" for layer in reversed(layers)]
        if megabytes is None:
            _copy_all(contents, self.disk / "local")
            return
        scratch, image = self.disk / "local.new", self.disk / "local.img"
        _copy_all(contents, scratch)
        run("truncate", "-s", f"{megabytes}M", image)
        run("mkfs.ext4", "-q", "-m", "0", "-d", scratch, image)
        shutil.rmtree(scratch)

    def path(self, inside: str) -> Path:
        """A path of the node as the machine sees it; below ``/usr/local`` while it is up."""
        init = self.init
        root = self.upper if init is None else Path(f"/proc/{init}/root")
        return root / inside.lstrip("/")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the node, whether it is up or down."""
        target = self.path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        target.chmod(mode)

    def boot(self, layers: Sequence[Path]) -> None:
        """Start the node's process 1; its services follow by themselves."""
        lower = ":".join(map(str, layers))
        namespace = self.place.namespace(self.name)
        spaces = ("unshare", "-m", "-u", "-p", "-i", "-C", "--fork", "--kill-child=KILL")
        launch = (*cgroups.within(namespace), "ip", "netns", "exec", namespace, "setsid", *spaces)
        with (self.disk / "launch.log").open("ab") as log:
            subprocess.Popen(
                [*launch, "sh", _SCRIPT, self.name, self.disk, lower],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )

    def wait_booted(self) -> None:
        """Return when systemd has started what it starts at boot, or given up on a part of it."""
        limit = time.monotonic() + _BOOT_SECONDS
        while time.monotonic() < limit:
            if self.init and self.call("systemctl", "is-system-running").stdout.strip() in _BOOTED:
                return
            time.sleep(0.05)
        raise LabError(
            f"{self.name} has not booted in {_BOOT_SECONDS:.0f} s; "
            f"see {self.disk}/launch.log and bin/lab logs {self.name}"
        )

    def kill(self) -> None:
        """A power cut: every process of the node dies at once."""
        init = self.init
        with contextlib.suppress(ProcessLookupError):
            if init:
                os.kill(init, signal.SIGKILL)
        limit = time.monotonic() + 10
        while time.monotonic() < limit:
            left = self.processes()
            if not left:
                cgroups.remove(self.place.namespace(self.name))
                return
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        raise LabError(f"processes of {self.name} do not die: {left}")

    def enter(self, command: Sequence[str]) -> list[str]:
        """Argument list that runs a command inside the node, with a login's environment."""
        init = self.init
        if init is None:
            raise LabError(f"{self.name} is down; bin/lab start {self.name}")
        settings = [f"PATH={_PATH}", "HOME=/root", "USER=root", "LANG=C.UTF-8",
                    f"TERM={os.environ.get('TERM', 'dumb')}"]  # fmt: skip
        return ["nsenter", "-t", str(init), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w",
                "env", "-i", *settings, *command]  # fmt: skip

    def call(
        self, *command: str, timeout: float | None = None, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command inside the node and return what it printed."""
        return subprocess.run(
            self.enter(command),
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
        )


def _is_init(pid: int) -> bool:
    """Whether a process is the first of a PID namespace and has become its init."""
    status = Path(f"/proc/{pid}/status").read_text()
    numbers = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return numbers.split()[-1] == "1" and Path(f"/proc/{pid}/comm").read_text() in _INITS


def _copy_all(sources: Sequence[Path], target: Path) -> None:
    target.mkdir(mode=0o755)
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
