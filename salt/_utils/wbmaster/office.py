"""The master's tools, and its own pillar, for whoever runs on it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import salt.config
import salt.pillar
from wbcore.errors import BadRequest
from wbcore.layout import Layout
from wbcore.planning.planner import decide
from wbcore.requests import ADOPT, Request
from wbcore.settings import Settings

from . import run
from .ledger import Ledger
from .lock import RunLock
from .nodes.bus import Bus
from .nodes.edition import edition
from .nodes.fleet import Fleet
from .nodes.observe import observe, survey_live


class Office:
    """The master's tools, for whoever runs on it: settings, paths, ledger, lock, nodes."""

    def __init__(self, opts: Mapping[str, Any], pillar: Mapping[str, Any]) -> None:
        self.opts = salt.config.master_config(opts["conf_file"])
        self.settings = Settings.parse(pillar.get("wormbase", {}))
        self.layout = Layout(Path(self.opts.get("root_dir") or "/"))
        self.ledger = Ledger(self.layout.ledger)
        self.lock = RunLock(self.layout.lock)
        self.fleet = Fleet(opts["conf_file"])
        self.bus = Bus(self.opts)

    def plan(self, request: Request) -> run.Run:
        """Look at everything and decide: a run that has not begun. Changes nothing."""
        known = self.ledger.known()
        wanted = edition(self.opts["pillar_roots"])
        seen = observe(self.fleet, self.settings, request.build, wanted)
        if request.kind == ADOPT:
            seen = survey_live(self.fleet, self.settings, seen)
        today = datetime.datetime.now(datetime.UTC).date()
        plan = decide(request, self.settings, known, seen, today)
        return run.Run(
            id=run.new_id(request, time.time()),
            request=request,
            settings=self.settings,
            layout=self.layout,
            ledger=self.ledger,
            lock=self.lock,
            fleet=self.fleet,
            bus=self.bus,
            known=known,
            seen=seen,
            plan=plan,
        )


def own_pillar(opts: Mapping[str, Any], grains: Mapping[str, Any]) -> dict[str, Any]:
    """The pillar of the master itself, without what was given on the command line."""
    # Salt starts from the pillar in the options, where the command line's lies already.
    bare = {**opts, "pillar": {}}
    compiler = salt.pillar.get_pillar(bare, grains, opts["id"], opts.get("saltenv") or "base")
    compiled = dict(compiler.compile_pillar())
    if compiled.get("_errors"):
        raise BadRequest(f"the pillar does not render: {compiled['_errors'][0]}", "fix it first")
    return compiled
