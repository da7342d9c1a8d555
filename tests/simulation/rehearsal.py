"""Whole runs in one process: the real ledger, lock, steps and plans over a model of the nodes.

Only what the nodes do is a model (``World``); every call goes through the real ``Fleet``
but for the wire. A call can fail, be lost or be the last of this process, which stands for
``kill -9``; after every call the site as seen from outside is looked at.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import itertools
import queue
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import wbmaster.lifecycle.step
import yaml
from cluster import World, release
from simulated_nodes import Killed, Nodes
from wbcore.errors import ReleaseError
from wbcore.layout import Layout
from wbcore.names import Release
from wbcore.requests import Request
from wbmaster import run
from wbmaster.ledger import Ledger
from wbmaster.lifecycle import begin, end
from wbmaster.lock import RunLock
from wbmaster.office import Office

ORCH = Path(__file__).resolve().parents[2] / "orch"
# What a run does when nothing is in its way.
SMOOTH: dict[int, str] = {}
_processes = itertools.count(1)


@functools.cache
def steps_of(kind: str) -> list[str]:
    """The steps of an orchestration, in the order of its file."""
    listed = yaml.safe_load((ORCH / f"{kind}.sls").read_text())["include"]
    files = [ORCH / "steps" / f"{name.rsplit('.', 1)[-1]}.sls" for name in listed]
    states = [state for file in files for state in yaml.safe_load(file.read_text()).values()]
    return [state["wb_step.taken"][0]["step"] for state in states]


class Wire:
    """The event bus within this process."""

    def __init__(self) -> None:
        self.fired: list[tuple[str, dict[str, Any]]] = []
        # How often the master was started.
        self.masters = 1
        self._events: queue.Queue[tuple[str, dict[str, Any]] | None] = queue.Queue()

    def fire(self, payload: dict[str, Any], tag: str) -> None:
        self.fired.append((tag, payload))
        self._events.put((tag, payload))

    def follow(self, prefix: str, listening: Any = bool) -> Iterator[Any]:
        listening()
        # None ends it, as the end of its process does.
        yield from iter(self._events.get, None)

    def master(self) -> int:
        return self.masters

    def close(self) -> None:
        """Nobody follows any longer."""
        self._events.put(None)


class Desk(Office):
    """The master's tools over a world. (The real one reads Salt's configuration first.)"""

    def __init__(self, world: World, root: Path) -> None:
        self.settings = world.settings
        self.layout = Layout(root)
        self.ledger = Ledger(self.layout.ledger)
        self.lock = RunLock(self.layout.lock)
        self.nodes = self.fleet = Nodes(world)
        self.opts = {"pillar_roots": {"base": [str(root / "pillar")]}}
        self.nodes.pillar_roots = self.opts["pillar_roots"]
        self.nodes.ledger = self.ledger
        self.bus = self.wire = Wire()
        self.changes: dict[str, dict[str, Any]] = {}

    def again(self, root: Path) -> Desk:
        """Another desk over the same situation, which leaves this one alone."""
        if self.layout.root.exists():
            shutil.copytree(self.layout.root, root, dirs_exist_ok=True)
        twin = Desk(copy.deepcopy(self.nodes.world), root)
        twin.nodes.pools = copy.deepcopy(self.nodes.pools)
        twin.nodes.live_pool = self.nodes.live_pool
        twin.nodes.disks = dict(self.nodes.disks)
        twin.nodes.begun = copy.deepcopy(self.nodes.begun)
        twin.nodes.epochs = dict(self.nodes.epochs)
        twin.nodes.carriers = set(self.nodes.carriers)
        twin.nodes.strange = copy.deepcopy(self.nodes.strange)
        twin.nodes.downloads = dict(self.nodes.downloads)
        twin.nodes.told = copy.deepcopy(self.nodes.told)
        return twin

    def beside(self) -> Desk:
        """A desk of another process over the same situation."""
        twin = copy.copy(self)
        twin.lock = RunLock(self.layout.lock)
        return twin

    def run(self, asked: Request, troubles: dict[int, str] = SMOOTH) -> str:
        """Begin a run, take its steps, end it, as the states of its orchestration do; what
        it said. A ReleaseError ends it, ``Killed`` leaves it where it was."""
        self.nodes.asked.clear()
        self.nodes.troubles = troubles
        self.changes.clear()
        # Every run is a process of its own; here they would all have one pid.
        with (
            mock.patch.object(run, "new_id", _id_of_a_new_process),
            self._in_use(),
        ):
            return self._run(asked)

    @contextlib.contextmanager
    def _in_use(self) -> Iterator[None]:
        """An idle connection to the ledger: SQLite tidies up whenever the last one is closed, which
        took half of the time of these runs."""
        if not self.layout.ledger.exists():
            yield
            return
        with contextlib.closing(sqlite3.connect(self.layout.ledger)) as idle:
            idle.execute("select 1 from sqlite_schema").fetchone()
            yield

    def forecast(self, asked: Request) -> dict[str, dict[str, Any]]:
        """What each step says in a dry run that it would change."""
        begin.dry(self, asked)
        planned = run.current()
        assert planned is not None
        run.set_current(None)
        return {
            step: wbmaster.lifecycle.step.forecast(planned, step) for step in steps_of(asked.kind)
        }

    def _run(self, asked: Request) -> str:
        try:
            said = begin.begin(self, asked)
            begun = run.current()
            if begun is None:
                return said
            for step in steps_of(asked.kind):
                if begun.error is None:
                    self._take(begun, step)
            return end.end(begun)
        except Killed:
            self._die()
            raise
        finally:
            self.nodes.lease_ends()

    def _take(self, begun: run.Run, step: str) -> None:
        with contextlib.suppress(ReleaseError):
            self.changes[step] = wbmaster.lifecycle.step.take(begun, step)

    def _die(self) -> None:
        run.set_current(None)
        # As the kernel does it: the lock is free, what was written in it stays.
        if self.lock._file:
            self.lock._file.close()
        self.lock._file = None
        self.wire.close()

    @property
    def live(self) -> Release | None:
        """What the ledger calls live."""
        return self.ledger.known().live


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """A directory in memory: hundreds of ledgers need not reach a disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def _id_of_a_new_process(asked: Request, now: float) -> str:
    return f"{int(now)}-{asked.kind}-{next(_processes)}"


def staged(world: World, root: Path, *builds: str) -> Desk:
    """A desk whose world has gone live with all but the last build, by real runs."""
    desk = Desk(world, root)
    for build in builds[:-1]:
        world.stage(build)
        desk.run(Request.parse("release", {"build": build}))
        assert desk.live is not None and desk.live.same_content(release(build))
    world.stage(builds[-1])
    return desk
