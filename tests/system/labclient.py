"""The lab of this checkout, as tests use it: through ``bin/lab`` and over the network."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import founding
from lab.cluster import Cluster
from lab.place import Place

# One build has some 25 MB.
SCALE = "0.25"
CHECKOUT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Answer:
    """What a web server answered."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Lab:
    """A lab; ``checkout`` is the working tree that it belongs to."""

    checkout: Path = CHECKOUT

    @property
    def web(self) -> set[str]:
        """The web nodes."""
        return self._having("web")

    @property
    def serving(self) -> set[str]:
        """The nodes that hold databases."""
        return self._having("mysql")

    def _having(self, role: str) -> set[str]:
        # A lab that lives on may have been made larger.
        hosts = Cluster(Place(self.checkout)).inventory.hosts
        return {host.name for host in hosts if role in host.roles}

    def cli(self, *words: str, seconds: float = 900) -> subprocess.CompletedProcess[str]:
        """Run ``bin/lab`` with these words."""
        return subprocess.run(
            [str(self.checkout / "bin/lab"), *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
        )

    def do(self, *words: str, seconds: float = 900) -> str:
        """Run ``bin/lab``, which has to succeed; returns what it printed."""
        done = self.cli(*words, seconds=seconds)
        assert done.returncode == 0, f"bin/lab {' '.join(words)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def exec(
        self, node: str, *command: str, seconds: float = 900
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a node."""
        return self.cli("exec", node, *command, seconds=seconds)

    def orch(
        self, name: str, pillar: dict[str, Any] | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run an orchestration on the master: ``orch("release", {"build": "WS221"})``."""
        words = [f"pillar={json.dumps(pillar)}"] if pillar is not None else []
        words += [f"{key}={value}" for key, value in options.items()]
        return self.exec("salt", "salt-run", "state.orch", f"orch.{name}", *words)

    def runner(self, function: str, *words: str) -> Any:
        """What a runner returns on the master."""
        done = self.exec("salt", "salt-run", "--out=json", function, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def status(self) -> dict[str, dict[str, Any]]:
        """The nodes, as ``bin/lab status --json`` tells them."""
        nodes: dict[str, dict[str, Any]] = json.loads(self.do("status", "--json"))["nodes"]
        return nodes

    def http(self, path: str, node: str = "fe", port: int = 80, seconds: float = 10) -> Answer:
        """A page as it is answered to a visitor, whatever its status."""
        url = f"http://{self.address(node)}:{port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=seconds) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read().decode())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read().decode())

    def address(self, node: str) -> str:
        """Address of a node, from its own list of hosts."""
        hosts = self.exec(node, "cat", "/etc/hosts").stdout
        rows = [line.split() for line in hosts.splitlines()]
        return next(row[0] for row in rows if row[1:] == [node])


def standing(client: Lab) -> Lab:
    """A lab that is up with the working tree on it; a new one has small builds."""
    done = client.do("up", "--scale", SCALE, seconds=1500)
    if founding.INSTALLED not in done:
        client.do("install")
    return client


@contextmanager
def second_checkout(directory: Path) -> Iterator[Lab]:
    """A copy of this checkout; whatever becomes of its lab, it is taken down afterwards."""
    checkout = directory / "checkout"
    leave_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__")
    shutil.copytree(CHECKOUT, checkout, ignore=leave_out, symlinks=True)
    client = Lab(checkout)
    yield client
    client.do("down")
