"""The small site of these tests: its pillar, its commands, and what is on its disks."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil
import salt.client
from pytestshellutils.utils import ports
from wbcore.layout import Layout
from wbmaster.ledger import Ledger
from wbmaster.lock import RunLock

CHECKOUT = Path(__file__).resolve().parents[2]
# All nodes use one port for the carrier, so each has an address of its own.
ADDRESSES = {
    "wb-dev": "127.0.1.1",
    "fe": "127.0.1.2",
    "wb-web1": "127.0.1.3",
    "canopus": "127.0.1.4",
}
STAGING, PROXY, WEB, REMOTE = ADDRESSES
SERVING = (WEB, REMOTE)
_ROLES = {STAGING: ["staging"], PROXY: ["proxy"], WEB: ["support", "web"], REMOTE: ["support"]}
DEADLINE_SECONDS = 120


def pillar_of(key: Path) -> dict[str, Any]:
    """The pillar root ``wormbase``: everything is root's, who may read below scratch trees."""
    return {
        "nodes": {
            node: {
                "address": address,
                "site": "remote" if node == REMOTE else "local",
                "roles": _ROLES[node],
            }
            for node, address in ADDRESSES.items()
        },
        "acedb": {"user": "root", "group": "root"},
        "mysql": {"user": "root", "group": "root"},
        "webapp": {"user": "root", "group": "root"},
        "golive": {"answer_seconds": 10},
        # Nothing is released here as far as that anybody is told.
        "mail": {"host": "localhost", "sender": "tests@localhost", "recipients": ["all@localhost"]},
        "blog": {"url": "http://localhost:1"},
        # These nodes are directories: the states would change the machine itself.
        "enforce": {"minutes": 0, "deep_days": 0},
        "carrier": {
            "user": "root",
            "port": ports.get_unused_localhost_port(),
            "private_key": key.read_text(),
            "public_key": key.with_suffix(".pub").read_text().strip(),
        },
    }


def install_master(root: Path, site: Path) -> None:
    """Do with the project's configuration of a master what ``bin/install`` does with it."""
    text = (CHECKOUT / "etc/master.conf").read_text()
    text = text.replace("{here}", str(CHECKOUT)).replace("{site}", str(site))
    folder = root / "conf" / "master.d"
    folder.mkdir(parents=True)
    (folder / "wormbase-release.conf").write_text(text)
    Layout(root).state.mkdir(mode=0o700, parents=True)


@contextmanager
def run_socket(layout: Layout) -> Iterator[None]:
    """What ``wormbase-run.socket`` does: a process of its own for each connection."""
    layout.run_socket.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(layout.run_socket))
        listening.listen()
        threading.Thread(target=_start_runs, args=(listening,), daemon=True).start()
        yield
        listening.shutdown(socket.SHUT_RDWR)


def _start_runs(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            subprocess.Popen(
                [sys.executable, CHECKOUT / "bin/start-run"],
                stdin=connection,
                start_new_session=True,
            )


def eventually(what: str, question: Callable[[], Any], seconds: float = DEADLINE_SECONDS) -> Any:
    """The answer to a question as soon as it is true; an AssertionError when it never is."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.05)
    return answer


@dataclass(frozen=True)
class Answered:
    """What a command that has ended left behind, as the commands' own factories tell it."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        return json.loads(self.stdout)


class Command:
    """A command at work in a process of its own."""

    def __init__(self, argv: list[str], environ: Mapping[str, str]) -> None:
        # Both live as long as the command.
        self._out, self._err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115
        self.process = subprocess.Popen(argv, env=environ, stdout=self._out, stderr=self._err)

    def said(self) -> str:
        """What it has printed to standard error so far."""
        return _text(self._err)

    def ended(self) -> Answered:
        """Wait for its end, and tell how it ended."""
        code = self.process.wait(DEADLINE_SECONDS)
        return Answered(code, _text(self._out), _text(self._err))


@dataclass
class Site:
    """A master and its nodes: ``layouts`` has the paths of each node."""

    master: Any
    layouts: Mapping[str, Layout]
    _commands: list[Command] = field(default_factory=list)

    @property
    def office(self) -> Layout:
        """The paths of the master."""
        return Layout(Path(self.master.config["root_dir"]))

    @property
    def ledger(self) -> Ledger:
        """The ledger of the master."""
        return Ledger(self.office.ledger)

    def ask(self, node: str, function: str, *arguments: Any, **more: Any) -> Any:
        """What a node returns to a function, asked by the master."""
        client = self.master.salt_client()
        limit = DEADLINE_SECONDS
        return client.run(function, *arguments, minion_tgt=node, timeout=limit, **more)

    def ask_often(self, node: str, function: str, arguments: list[list[Any]]) -> dict[str, Any]:
        """What a node returned the last time to a function that it called so many times."""
        with salt.client.get_local_client(self.master.config["conf_file"]) as client:
            # One job for all of them.
            functions = [function] * len(arguments)
            answers = client.cmd(node, functions, arguments, timeout=DEADLINE_SECONDS)
        return answers[node]

    def run(self, *words: str) -> Any:
        """The command ``salt-run`` with these words, ended: code, output, data."""
        command = self.master.salt_run_cli()
        return command.run("--log-level=warning", *words, _timeout=DEADLINE_SECONDS)

    def orch(self, kind: str, pillar: str = "{}", *words: str) -> Any:
        """One of the project's orchestrations, ended."""
        return self.run("state.orch", f"orch.{kind}", f"pillar={pillar}", *words)

    def begin(self, kind: str, pillar: str) -> Command:
        """One of the project's orchestrations, begun in a process of its own."""
        salt_run = self.master.salt_run_cli()
        words = ("--log-level=warning", "state.orch", f"orch.{kind}", f"pillar={pillar}")
        command = Command(salt_run.cmdline(*words), salt_run.environ)
        self._commands.append(command)
        return command

    def orchestrations(self) -> list[psutil.Process]:
        """Every living process that runs an orchestration of this master, or is about to."""
        mine = os.path.dirname(self.master.config["conf_file"])
        found = []
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "state.orch" in words and any(mine in word for word in words):
                found.append(process)
        return found

    @contextmanager
    def held_up(self, node: str) -> Iterator[None]:
        """Let every pull of a node wait, as it waits for another pull there."""
        path = self.layouts[node].state / "pull.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def wait_for_step(self, step: str) -> dict[str, Any]:
        """The newest run, as soon as the ledger says that it has come to this step.

        It may be past it by then, or have ended: a quick run is over between two looks.
        """

        def at_it() -> dict[str, Any] | None:
            for run in self.ledger.runs(1):
                if step in [one["step"] for one in self.ledger.steps(run["id"])]:
                    return run
            return None

        return eventually(f"a run comes to {step}", at_it)

    def clean(self) -> None:
        """Empty nodes, an empty ledger, no run."""
        self._end_processes()
        for node, layout in self.layouts.items():
            with self.held_up(node):
                shutil.rmtree(layout.root / "usr", ignore_errors=True)
                for name in ("verified", "manifests", "hashes"):
                    shutil.rmtree(layout.state / name, ignore_errors=True)
                # A node that has seen a run takes an empty ledger for a lost one.
                layout.epoch.unlink(missing_ok=True)
        for path in self.office.state.glob("*"):
            path.unlink()

    def end(self) -> None:
        """Leave no run behind."""
        self._end_processes()

    def _end_processes(self) -> None:
        for command in self._commands:
            command.process.kill()
            command.process.wait()
        self._commands.clear()
        # Whoever was started detached, or takes up what was killed, ends by itself.
        eventually("every run has ended", lambda: not self.orchestrations())
        assert RunLock(self.office.lock).free()

    def snapshot(self) -> dict[str, Any]:
        """Everything on the nodes and in the ledger that a release could change."""
        trees = {node: _tree(layout.root) for node, layout in self.layouts.items()}
        return {**trees, "ledger": _dump(self.office.ledger)}


def sentences(answered: Any) -> list[str]:
    """The comments of the states of an orchestration that failed."""
    (states,) = answered.data["data"].values() if answered.data else ({},)
    return [state["comment"] for state in states.values() if state["result"] is False]


def comments(answered: Any) -> dict[str, str]:
    """What each state of an orchestration said, by its name."""
    (states,) = answered.data["data"].values()
    return {state["name"]: state["comment"] for state in states.values()}


def _text(file: IO[bytes]) -> str:
    return os.pread(file.fileno(), 10_000_000, 0).decode()


def _tree(root: Path) -> dict[str, str]:
    """Every path below the two folders that the project writes to."""
    tree = {}
    for top in (root / "usr", root / "var" / "lib"):
        for path in sorted(top.rglob("*")):
            if ".hg" in path.parts:
                # Mercurial refreshes caches of its own whenever it is asked.
                continue
            about = path.lstat()
            content = ""
            if path.is_symlink():
                content = os.readlink(path)
            elif path.is_file():
                content = hashlib.sha256(path.read_bytes()).hexdigest()
            facts = [about.st_mode, about.st_uid, about.st_gid, about.st_ino, about.st_mtime_ns]
            tree[str(path.relative_to(root))] = json.dumps([*facts, content])
    return tree


def _dump(path: Path) -> list[str]:
    if not path.exists():
        return []
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()
