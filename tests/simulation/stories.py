"""Stories of a simulated site: what people, builds, machines and the network do, in any order.

A story is a row of acts. A run that an act asks for is the real one (see ``rehearsal.py``); before
any of its calls something may happen. After every call the site is looked at as visitors see it,
after every act the ledger is held against it. In the end all that went away comes back, and the
newest build has to go live: whatever was interrupted by itself, the rest by one command.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from cluster import PILLAR, World, request, settings
from rehearsal import Desk, staged
from simulated_nodes import Killed
from wbcore.errors import BadRequest, Busy, ReleaseError
from wbcore.requests import Request
from wbcore.settings import WAYS
from wbmaster import run
from wbmaster.commands import recovery, verdicts
from wbmaster.lifecycle import begin
from wbmaster.reporting import watch
from wbmaster.unattended import catch_up, launcher, supervisor

KINDS = ("release", "golive", "push", "rollback", "purge", "announce", "minor")
# The supervisor is asked so often before it counts as helpless.
_ROUNDS = 12
_SMALL = {"nodes": {node: PILLAR["nodes"][node] for node in ("wb-dev", "fe", "wb-web1", "canopus")}}
SITES = {f"{size}, {way}": (size, way) for size in ("small", "whole") for way in WAYS}

# The function that the master calls, and how often it was called in this run before.
Call = tuple[str, int]


class Clock:
    """Seconds since 1970 that pass when somebody looks, and when they are told to."""

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


@dataclass(frozen=True)
class Act:
    """Something that happens."""

    def do(self, site: Site) -> None:
        """Have it happen."""
        raise NotImplementedError


@dataclass(frozen=True)
class Asks(Act):
    """Somebody asks for something; meanwhile things happen, each before or at one of its calls."""

    kind: str
    meanwhile: tuple[tuple[Call, str | Act], ...] = ()

    def __repr__(self) -> str:
        told = "".join(
            f"; {function} ({nth + 1}): {what}"
            if isinstance(what, str)
            else f"; before {function} ({nth + 1}) {what}"
            for (function, nth), what in self.meanwhile
        )
        return f"{self.kind} is asked for{told}"

    def do(self, site: Site) -> None:
        site.coming = dict(self.meanwhile)
        site.attempt(self.request(site))

    def request(self, site: Site) -> Request:
        """What is asked for: about the newest build, or what is live, or an old one."""
        live, newest = str(site.desk.live.build), site.newest()
        if self.kind == "minor":
            return request("release", live, minor=True)
        old = {"rollback": "", "purge": f"WS{newest - 3}", "announce": live}
        return request(self.kind, old.get(self.kind, f"WS{newest}"))


@dataclass(frozen=True)
class Interferes(Act):
    """A second person asks for something else while a run is at work."""

    kind: str

    def __repr__(self) -> str:
        return f"a second person asks for {self.kind}"

    def do(self, site: Site) -> None:
        second = site.desk.beside()
        asked = Asks(self.kind).request(site)
        held = site.desk.lock.holder()
        if (held.get("kind"), held.get("pillar")) == (asked.kind, asked.pillar):
            # Who asks for the same joins the run, and waits.
            return
        with contextlib.suppress(Busy, BadRequest):
            begin.begin(second, asked)
            site.desk.nodes.wrong.append(f"{asked} began beside another run")


@dataclass(frozen=True)
class Lands(Act):
    """A build lands on the development server."""

    def __repr__(self) -> str:
        return "a build lands"

    def do(self, site: Site) -> None:
        site.desk.nodes.world.stage(f"WS{site.newest() + 1}")


@dataclass(frozen=True)
class Commits(Act):
    """A revision of the webapp is committed."""

    def __repr__(self) -> str:
        return "a revision of the webapp is committed"

    def do(self, site: Site) -> None:
        revision = site.revision + 1
        site.desk.nodes.world.webapp.update(revision=revision, tip=revision)


@dataclass(frozen=True)
class Leaves(Act):
    """A machine is gone: no power, or no network."""

    machine: str

    def __repr__(self) -> str:
        return f"{self.machine} is gone"

    def do(self, site: Site) -> None:
        world = site.desk.nodes.world
        if self.machine in world.settings.nodes:
            world.absent = (*{*world.absent, self.machine},)


@dataclass(frozen=True)
class Returns(Act):
    """A machine is there again, as it was."""

    machine: str

    def __repr__(self) -> str:
        return f"{self.machine} is back"

    def do(self, site: Site) -> None:
        world = site.desk.nodes.world
        world.absent = tuple(one for one in world.absent if one != self.machine)


@dataclass(frozen=True)
class Fills(Act):
    """The disk of a node is full."""

    node: str

    def __repr__(self) -> str:
        return f"the disk of {self.node} is full"

    def do(self, site: Site) -> None:
        site.desk.nodes.disks[self.node] = 0


@dataclass(frozen=True)
class Misjudges(Act):
    """The clock of a machine is a day ahead."""

    machine: str

    def __repr__(self) -> str:
        return f"the clock of {self.machine} is a day ahead"

    def do(self, site: Site) -> None:
        site.desk.nodes.clocks[self.machine] = 86_400.0


@dataclass(frozen=True)
class Holds(Act):
    """Somebody holds everything."""

    def __repr__(self) -> str:
        return "everything is held"

    def do(self, site: Site) -> None:
        verdicts.hold(site.desk, "", "a story")


@dataclass(frozen=True)
class Lifts(Act):
    """Somebody lifts the hold of everything."""

    def __repr__(self) -> str:
        return "the hold is lifted"

    def do(self, site: Site) -> None:
        with contextlib.suppress(ReleaseError):
            verdicts.unhold(site.desk, "")


@dataclass(frozen=True)
class Restarts(Act):
    """The master is started anew."""

    def __repr__(self) -> str:
        return "the master is started anew"

    def do(self, site: Site) -> None:
        site.desk.wire.masters += 1


@dataclass(frozen=True)
class Copies(Act):
    """Somebody copies the ledger."""

    def __repr__(self) -> str:
        return "the ledger is copied"

    def do(self, site: Site) -> None:
        ledger = site.desk.layout.ledger
        site.copy = ledger.with_name("copy")
        shutil.copyfile(ledger, site.copy)


@dataclass(frozen=True)
class Restores(Act):
    """Somebody puts the copy of the ledger back."""

    def __repr__(self) -> str:
        return "the copy of the ledger is put back"

    def do(self, site: Site) -> None:
        if site.copy:
            shutil.copyfile(site.copy, site.desk.layout.ledger)


@dataclass(frozen=True)
class Supervises(Act):
    """The master looks for what is left to do."""

    def __repr__(self) -> str:
        return "the master looks for what is left to do"

    def do(self, site: Site) -> None:
        with contextlib.suppress(ReleaseError):
            site.supervise()


@dataclass(frozen=True)
class Enforces(Act):
    """A node enforces its states, as each does now and then."""

    node: str

    def __repr__(self) -> str:
        return f"{self.node} enforces its states"

    def do(self, site: Site) -> None:
        site.aside(self.node, "wb_node.enforce", {})


@dataclass(frozen=True)
class Arrives(Act):
    """An order that was given long ago arrives once more; ``which`` counts from the newest."""

    which: int

    def __repr__(self) -> str:
        return f"the order that was given {self.which} orders ago arrives once more"

    def do(self, site: Site) -> None:
        # Within an epoch orders have an order: Salt gives none twice.
        epoch = site.desk.ledger.epoch()
        old = [one for one in site.orders if one[2]["epoch"] < epoch]
        if self.which < len(old):
            node, function, kwargs = old[-1 - self.which]
            site.clock.now += 30
            site.aside(node, function, kwargs)


def play(beginning: Desk, room: Path, acts: Sequence[Act]) -> int:
    """Play a story from its beginning; how many calls the master made.

    AssertionError for the first thing that is wrong.
    """
    clock = Clock()
    with (
        mock.patch.object(time, "time", clock),
        mock.patch.object(watch, "show_in_this_terminal"),
    ):
        site = Site(beginning.again(room), clock)
        for act in acts:
            act.do(site)
            site.check()
        site.end()
        return site.desk.nodes.calls


def beginning(site: str, root: Path) -> Desk:
    """A site with two releases behind it and a build that has landed."""
    size, way = SITES[site]
    chosen = {"golive": {"way": way}, **(_SMALL if size == "small" else {})}
    with mock.patch.object(watch, "show_in_this_terminal"):
        return staged(World(settings(**chosen)), root, "WS219", "WS220", "WS221")


def calls(beginning: Desk, room: Path, kind: str) -> list[Call]:
    """Every call of a run of this kind in whose way nothing is."""
    with mock.patch.object(watch, "show_in_this_terminal"):
        probe = beginning.again(room)
        probe.run(Asks(kind).request(Site(probe, Clock())))
    functions = [function for _, function in probe.nodes.asked]
    return [(one, functions[:number].count(one)) for number, one in enumerate(functions)]
