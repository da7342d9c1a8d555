"""What happens in stories: what people ask for, what machines do, what is lost and put back."""

from __future__ import annotations

import contextlib
import shutil

from cluster import request
from simulated_site import Act, Call, Site
from wbcore.errors import BadRequest, Busy, ReleaseError
from wbcore.requests import Request
from wbmaster.commands import verdicts
from wbmaster.lifecycle import begin

KINDS = ("release", "golive", "push", "rollback", "purge", "announce", "minor")


def asks(kind: str, *meanwhile: tuple[Call, str | Act]) -> Act:
    """Somebody asks for something; meanwhile things happen, each before or at one of its calls."""

    def do(site: Site) -> None:
        site.coming = dict(meanwhile)
        site.attempt(wanted(site, kind))

    told = "".join(
        f"; before {function} ({nth + 1}) {what}"
        if isinstance(what, Act)
        else f"; {function} ({nth + 1}): {what}"
        for (function, nth), what in meanwhile
    )
    return Act(f"{kind} is asked for{told}", do)


def wanted(site: Site, kind: str) -> Request:
    """What is asked for: about the newest build, or what is live, or an old one."""
    live, newest = str(site.desk.live.build), site.newest()
    if kind == "minor":
        return request("release", live, minor=True)
    old = {"rollback": "", "purge": f"WS{newest - 3}", "announce": live}
    return request(kind, old.get(kind, f"WS{newest}"))


def interferes(kind: str) -> Act:
    """A second person asks for something else while a run is at work."""

    def do(site: Site) -> None:
        asked, held = wanted(site, kind), site.desk.lock.holder()
        if (held.get("kind"), held.get("pillar")) == (asked.kind, asked.pillar):
            # Who asks for the same joins the run, and waits.
            return
        with contextlib.suppress(Busy, BadRequest):
            begin.begin(site.desk.beside(), asked)
            site.desk.nodes.wrong.append(f"{asked} began beside another run")

    return Act(f"a second person asks for {kind}", do)


def leaves(machine: str) -> Act:
    """A machine is gone: no power, or no network."""

    def do(site: Site) -> None:
        world = site.desk.nodes.world
        if machine in world.settings.nodes:
            world.absent = (*{*world.absent, machine},)

    return Act(f"{machine} is gone", do)


def returns(machine: str) -> Act:
    """A machine is there again, as it was."""

    def do(site: Site) -> None:
        world = site.desk.nodes.world
        world.absent = tuple(one for one in world.absent if one != machine)

    return Act(f"{machine} is back", do)


def fills(node: str) -> Act:
    """The disk of a node is full."""
    return Act(f"the disk of {node} is full", lambda site: site.desk.nodes.disks.update({node: 0}))


def misjudges(machine: str) -> Act:
    """The clock of a machine is a day ahead."""
    return Act(
        f"the clock of {machine} is a day ahead",
        lambda site: site.desk.nodes.clocks.update({machine: 86_400.0}),
    )


def enforces(node: str) -> Act:
    """A node enforces its states, as each does now and then."""
    return Act(f"{node} enforces its states", lambda site: site.aside(node, "wb_node.enforce", {}))


def arrives(which: int) -> Act:
    """An order of an epoch that has passed arrives once more; ``which`` counts from the newest.
    (Within an epoch orders have an order: Salt gives none twice.)"""

    def do(site: Site) -> None:
        epoch = site.desk.ledger.epoch()
        old = [one for one in site.orders if one[2]["epoch"] < epoch]
        if which < len(old):
            site.clock.now += 30
            site.aside(*old[-1 - which])

    return Act(f"the order that was given {which} orders ago arrives once more", do)


def _commit(site: Site) -> None:
    revision = site.revision + 1
    site.desk.nodes.world.webapp.update(revision=revision, tip=revision)


def _lift(site: Site) -> None:
    with contextlib.suppress(ReleaseError):
        verdicts.unhold(site.desk, "")


def _restart(site: Site) -> None:
    site.desk.wire.masters += 1


def _copy(site: Site) -> None:
    ledger = site.desk.layout.ledger
    site.copy = ledger.with_name("copy")
    shutil.copyfile(ledger, site.copy)


def _restore(site: Site) -> None:
    if site.copy:
        shutil.copyfile(site.copy, site.desk.layout.ledger)


def _look(site: Site) -> None:
    with contextlib.suppress(ReleaseError):
        site.supervise()


LANDS = Act("a build lands", lambda site: site.desk.nodes.world.stage(f"WS{site.newest() + 1}"))
COMMITS = Act("a revision of the webapp is committed", _commit)
HOLDS = Act("everything is held", lambda site: verdicts.hold(site.desk, "", "a story"))
LIFTS = Act("the hold is lifted", _lift)
RESTARTS = Act("the master is started anew", _restart)
COPIES = Act("the ledger is copied", _copy)
RESTORES = Act("the copy of the ledger is put back", _restore)
SUPERVISES = Act("the master looks for what is left to do", _look)
