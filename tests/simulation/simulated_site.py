"""A simulated site in the middle of a story: asked for runs, disturbed, and looked at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from cluster import request
from rehearsal import Desk
from simulated_nodes import Killed
from wbcore.errors import ReleaseError
from wbcore.requests import Request
from wbmaster import run
from wbmaster.commands import recovery
from wbmaster.unattended import catch_up, launcher, supervisor

# The supervisor is asked so often before it counts as helpless.
_ROUNDS = 12

# The function that the master calls, and how often it was called in this run before.
Call = tuple[str, int]


@dataclass(frozen=True)
class Act:
    """Something that happens to a site, in words and in fact."""

    words: str
    do: Callable[[Site], object] = field(compare=False)

    def __repr__(self) -> str:
        return self.words


class Clock:
    """Seconds since 1970 that pass when somebody looks, and when they are told to. It begins before
    the site does, as a clock that was set back."""

    def __init__(self) -> None:
        self.now = 1_300_000_000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


class Site:
    """A site in the middle of a story."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self.desk, self.clock = desk, clock
        # What is to happen before a call of the run at work.
        self.coming: dict[Call, str | Act] = {}
        self.orders: list[tuple[str, str, dict[str, Any]]] = []
        self.copy: Path | None = None
        self._real_ask = desk.nodes._ask
        desk.nodes._ask = self._ask  # type: ignore[method-assign]

    def attempt(self, asked: Request, cause: str = "command") -> str:
        """How a run went: done, killed, or the error that ended it."""
        with mock.patch.dict(os.environ, {run.CAUSE: cause}):
            try:
                self.desk.run(asked, {})
            except Killed:
                return "killed"
            except ReleaseError as error:
                return str(error)
            finally:
                self.coming = {}
        return "done"

    def supervise(self) -> str:
        """What the master does by itself each time that its schedule asks it to."""
        # More than the supervisor ever waits before it does something.
        self.clock.now += 200
        with mock.patch.object(launcher, "start", self._start):
            try:
                return supervisor.take_up(self.desk) or catch_up.greet(self.desk)
            except Killed:
                return "killed"

    def check(self) -> None:
        """AssertionError if the site, its ledger and its lock do not agree."""
        nodes, known = self.desk.nodes, self.desk.ledger.known()
        assert not nodes.wrong, nodes.wrong[0]
        assert self.desk.lock.free(), "nobody is at work, and the lock is held"
        assert run.current() is None, "nobody is at work, and a run is the current one"
        shown = {str(nodes.version(node).get("release")) for node in nodes.pool} - {"None"}
        assert len(shown) <= 1, f"the site mixes {sorted(shown)}"
        if known.switch is None and not self.is_behind:
            assert shown <= {str(known.live)}, f"{sorted(shown)} is shown, {known.live} recorded"

    @property
    def is_behind(self) -> bool:
        """Whether the ledger is an old copy."""
        return self.desk.ledger.epoch() < max(self.desk.nodes.epochs.values(), default=0)

    @property
    def revision(self) -> int:
        """The revision of the webapp in staging."""
        return int(self.desk.nodes.world.webapp["revision"])

    def newest(self) -> int:
        """The number of the newest build that has landed."""
        return max(int(build[2:]) for build in self.desk.nodes.world.builds)

    def end(self) -> None:
        """All that went away comes back; AssertionError unless the newest build goes live then."""
        desk, world = self.desk, self.desk.nodes.world
        world.absent, desk.nodes.disks, desk.nodes.clocks = (), {}, {}
        if self.is_behind:
            recovery.recover(desk, test=False)
        for verdict in desk.ledger.known().verdicts:
            desk.ledger.lift(verdict.kind, verdict.build)
        for _ in range(_ROUNDS):
            if not self.supervise():
                break
            self.check()
        for node in (*desk.settings.serving, desk.settings.proxy):
            self.aside(node, "wb_node.enforce", {})
        assert desk.ledger.unfinished() is None, "a run has no end"
        assert desk.ledger.known().switch is None, "a change-over has no end"
        # Going back may have been the last that was wanted, and is ended first.
        newest = f"WS{self.newest()}"
        for _ in range(2):
            minor = str(desk.live.build) == newest and desk.live.revision != self.revision
            flags = {"minor": True} if minor else {}
            said = self.attempt(request("release", newest, **flags))
        assert said == "done", said
        live = desk.live
        assert (str(live.build), live.revision) == (newest, self.revision), f"{live} is live"
        self.check()
        assert sorted(desk.nodes.pool) == sorted(desk.settings.having("web")), desk.nodes.pool

    def aside(self, node: str, function: str, kwargs: dict[str, Any]) -> None:
        """Have a node do something that is no call of the run at work."""
        nodes = self.desk.nodes
        if node not in self.desk.settings.nodes:
            return
        asked, troubles = list(nodes.asked), nodes.troubles
        nodes.troubles = {}
        self._real_ask(node, function, kwargs)
        nodes.asked[:], nodes.troubles = asked, troubles

    def _start(self, office: Desk, asked: Request, cause: str, why: str = "") -> None:
        self.attempt(asked, cause)

    def _ask(self, node: str, function: str, kwargs: dict[str, Any]) -> Any:
        nodes = self.desk.nodes
        nth = sum(function == one for _, one in nodes.asked)
        what = self.coming.pop((function, nth), None)
        if isinstance(what, Act):
            what.do(self)
        elif what:
            nodes.troubles = {len(nodes.asked): what}
        if "epoch" in kwargs:
            self.orders.append((node, function, dict(kwargs)))
        return self._real_ask(node, function, kwargs)
