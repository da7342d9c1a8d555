"""A Salt master and as many minions as wanted, all real, all on this machine, below one folder.

Everything of a node lies below a root of its own, since Salt's ``root_dir`` is what the
project's paths start from. Salt's programs are those beside the Python that runs this.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import salt.client
import yaml
from wbcore.layout import Layout

from lab.command import LabError
from lab.place import CHECKOUT

from . import rig

STAGING, PROXY = "wb-dev", "fe"
# What is rendered for a node's carrier by the state carrier.served.
CARRIER_FILES = ("authorized_keys", "known_hosts", "rsyncd.conf", "sshd_config")
# Whatever happens to this process, what it started ends as well.
WITH_PARENT = ("setpriv", "--pdeathsig", "TERM")
START_SECONDS, END_SECONDS = 180, 20
# More minions than this at once, and none of them is served in time on two cores.
STARTED_AT_ONCE = 8
MASTER = {
    "auto_accept": True,
    "log_level_logfile": "warning",
    "enable_gpu_grains": False,
    "enable_fqdns_grains": False,
}
MINION = {
    "master": "127.0.0.1",
    "log_level_logfile": "warning",
    # What a minion looks up of its machine at its start has no part in what is measured.
    "enable_gpu_grains": False,
    "enable_fqdns_grains": False,
}


class Village:
    """The running master and its nodes: ``nodes`` has the paths of each by its id."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.nodes: dict[str, Layout] = {}
        self.office = Layout(root / "master")
        self.conf = self.office.root / "etc/salt"
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._minions: dict[str, subprocess.Popen[bytes]] = {}
        self._publish_port, self._return_port, self._carrier_port = _free_ports(3)
        self._keys = rig.key_pair(root)

    @property
    def master(self) -> psutil.Process:
        """The process of the master, above all others of it."""
        return psutil.Process(self._daemons[0].pid)

    def minion(self, name: str) -> psutil.Process:
        """The process of a node's minion, above all others of it."""
        return psutil.Process(self._minions[name].pid)

    @property
    def options(self) -> Path:
        """The master's configuration file."""
        return self.conf / "master"

    def start_master(self) -> None:
        """Install the project by its own configuration file, as ``bin/install`` does."""
        text = (CHECKOUT / "etc/master.conf").read_text()
        text = text.replace("{here}", str(CHECKOUT)).replace("{site}", str(self.root / "site"))
        ports = {"publish_port": self._publish_port, "ret_port": self._return_port}
        _write(self.options, yaml.safe_dump({**MASTER, **ports, "root_dir": str(self.office.root)}))
        _write(self.conf / "master.d/wormbase-release.conf", text)
        self.office.state.mkdir(mode=0o700, parents=True)
        # Where a master was never started, salt-run lacks this folder.
        (self.office.root / "var/cache/salt/master/proc").mkdir(parents=True)
        self._describe()
        # Reactors and pillar modules are read when the master starts: what they import first.
        self.run("saltutil.sync_all")
        self._start(_program("salt-master"), "-c", self.conf)
        self._await("the master", lambda: _listens(self._return_port))

    def grow(self, size: int) -> None:
        """Have so many nodes, and let each of them know all the others."""
        old, names = list(self.nodes), [STAGING, PROXY, *(f"node{n:03}" for n in range(3, 999))]
        new = names[len(old) : size]
        self.nodes |= {name: Layout(self.root / name) for name in new}
        self._describe()
        for first in range(0, len(new), STARTED_AT_ONCE):
            self._admit(new[first : first + STARTED_AT_ONCE])
        if old:
            self.ask(old, "saltutil.refresh_pillar", wait=True)
        self._serve(new)

    def run(self, *words: str) -> Any:
        """What ``salt-run`` answers to these words; LabError when it fails."""
        command = [_program("salt-run"), "-c", self.conf, "--out=json", *words]
        done = subprocess.run(
            command, env=self._environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            told = f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
            raise LabError(f"salt-run {' '.join(words)} failed:\n{told}")
        return json.loads(done.stdout or "null")

    def ask(self, nodes: Sequence[str], function: str, *arguments: Any, **more: Any) -> dict:
        """What the nodes return; LabError when one does not."""
        with salt.client.get_local_client(str(self.options)) as client:
            answers = client.cmd(
                list(nodes), function, arguments, START_SECONDS, "list", kwarg=more
            )
        silent = [node for node in nodes if node not in answers]
        if silent:
            raise LabError(f"no answer to {function} from {', '.join(silent)}")
        return answers

    def clean(self) -> None:
        """Empty nodes, and a ledger that knows nothing."""
        for layout in self.nodes.values():
            shutil.rmtree(layout.root / "usr", ignore_errors=True)
            for path in layout.state.iterdir():
                if path != layout.carrier:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in self.office.state.glob("*"):
            path.unlink()

    def end(self) -> None:
        """End everything that was started here, and what that has started."""
        for daemon in self._daemons:
            daemon.terminate()
        deadline = time.monotonic() + END_SECONDS
        for daemon in self._daemons:
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(max(0, deadline - time.monotonic()))
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def processes(self) -> Iterator[psutil.Process]:
        """Everything that was started here, and what that has started.

        (Each daemon has a session of its own, which its children stay in.)
        """
        sessions = {daemon.pid for daemon in self._daemons}
        for process in psutil.process_iter():
            with suppress(ProcessLookupError):
                if os.getsid(process.pid) in sessions:
                    yield process

    def _environment(self) -> dict[str, str]:
        programs = str(Path(sys.executable).parent)
        path = f"{programs}:{os.environ['PATH']}"
        return {**os.environ, "PATH": path}

    def _start(self, *command: object) -> subprocess.Popen[bytes]:
        # In a session of its own: Ctrl-C is for this process, which ends the others in order.
        daemon = subprocess.Popen(
            [*WITH_PARENT, *map(str, command)],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._daemons.append(daemon)
        return daemon

    def _admit(self, names: Sequence[str]) -> None:
        ports = {"publish_port": self._publish_port, "master_port": self._return_port}
        for name in names:
            root = self.nodes[name].root
            options = {**MINION, **ports, "id": name, "root_dir": str(root)}
            _write(root / "etc/salt/minion", yaml.safe_dump(options))
            self._minions[name] = self._start(_program("salt-minion"), "-c", root / "etc/salt")
        self._await(", ".join(names), lambda: set(names) <= set(self._answering()))
        self.ask(names, "saltutil.sync_all")

    def _answering(self) -> list[str]:
        # The master listens before its workers do.
        with suppress(LabError):
            return self.run("manage.up", "timeout=3", "gather_job_timeout=3")
        return []

    def _await(self, what: str, question: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not question():
            if time.monotonic() > deadline:
                raise LabError(f"not there after {START_SECONDS} s: {what}")
            time.sleep(1)

    def _describe(self) -> None:
        private, public = self._keys
        nodes = {name: _node(number, name) for number, name in enumerate(self.nodes)}
        carrier = {"user": "root", "port": self._carrier_port,
                   "private_key": private, "public_key": public.strip()}  # fmt: skip
        # These nodes are directories: their states would change the machine itself.
        idle = {"minutes": 0, "deep_days": 0}
        everything = {"nodes": nodes, "carrier": carrier, "enforce": idle}
        _write(self.root / "site/pillar/site.sls", yaml.safe_dump({"wormbase": everything}))

    def _serve(self, names: Sequence[str]) -> None:
        """Start the carrier of nodes: an sshd for each, with the files that Salt renders."""
        Path("/run/sshd").mkdir(exist_ok=True)
        for name in names:
            self.nodes[name].carrier.mkdir(parents=True, exist_ok=True)
            for which in ("id", "host_key"):
                key = self.nodes[name].carrier / which
                key.touch(mode=0o600)
                key.write_text(self._keys[0])
        for file in CARRIER_FILES:
            rendered = self.ask(names, "cp.get_template", f"salt://carrier/{file}", "")
            for name, cached in rendered.items():
                shutil.copy(cached, self.nodes[name].carrier / file)
        for name in names:
            address = _address(list(self.nodes).index(name))
            options = (f"ListenAddress={address}", "StrictModes=no", "PidFile=none")
            config = self.nodes[name].carrier / "sshd_config"
            self._start("/usr/sbin/sshd", "-D", "-f", config, *(f"-o{one}" for one in options))


@contextmanager
def standing() -> Iterator[Village]:
    """A village with a master and no node yet, which goes in the end with all that it ran."""
    with tempfile.TemporaryDirectory(prefix="wb-scale-", ignore_cleanup_errors=True) as folder:
        village = Village(Path(folder))
        try:
            village.start_master()
            yield village
        finally:
            village.end()


def _node(number: int, name: str) -> Mapping[str, Any]:
    """A node as the pillar has it: support databases need no server. Two sites, half each."""
    role = {STAGING: "staging", PROXY: "proxy"}.get(name, "support")
    far = role == "support" and number % 2
    return {
        "address": _address(number), "site": "remote" if far else "local", "roles": [role],
    }  # fmt: skip


def _address(number: int) -> str:
    # All nodes use one port for the carrier, so each has an address of its own.
    return f"127.0.2.{number + 1}"


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _program(name: str) -> Path:
    return Path(sys.executable).parent / name


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
