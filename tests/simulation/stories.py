"""Stories of a simulated site: what people, builds, machines and the network do, in any order.

A story is a row of acts. A run that an act asks for is the real one (see ``rehearsal.py``); before
any of its calls something may happen. After every call the site is looked at as visitors see it,
after every act the ledger is held against it. In the end all that went away comes back, and the
newest build has to go live: whatever was interrupted by itself, the rest by one command.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

from acts import asks, wanted
from cluster import PILLAR, World, settings
from rehearsal import Desk, staged
from simulated_nodes import TROUBLES
from simulated_site import Act, Clock, Site
from wbcore.settings import WAYS
from wbmaster.reporting import watch

_SMALL = {"nodes": {node: PILLAR["nodes"][node] for node in ("wb-dev", "fe", "wb-web1", "canopus")}}
SITES = {f"{size}, {way}": (size, way) for size in ("small", "whole") for way in WAYS}
SMALL_SITES = [name for name, (size, _) in SITES.items() if size == "small"]


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


def releases_in_trouble(beginning: Desk, room: Path) -> Iterator[Act]:
    """A release for every call that it makes and every trouble that the call can meet."""
    with mock.patch.object(watch, "show_in_this_terminal"):
        probe = beginning.again(room)
        probe.run(wanted(Site(probe, Clock()), "release"))
    functions = [function for _, function in probe.nodes.asked]
    for number, function in enumerate(functions):
        call = (function, functions[:number].count(function))
        yield from (asks("release", (call, trouble)) for trouble in TROUBLES)
