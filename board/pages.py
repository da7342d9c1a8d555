"""What each page shows; templates say how."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import jinja2
from wbcore.errors import BadRequest, ReleaseError
from wbcore.model.ledger_facts import Known
from wbcore.names import Build
from wbcore.verdicts import ACCEPTED, BAD, HOLD, Verdict
from wbmaster.ledger import Ledger
from wbmaster.lock import RunLock
from wbmaster.reporting import tree

from . import actions, charts, releases, runs, words
from .live import Live

_SHOWN = 300
_RECENT = 8
_REPORTS = 20


def environment() -> jinja2.Environment:
    """Templates that escape whatever they are given, and fail for what they are not given."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        words=words, actions=actions.ACTIONS, size=words.size, chart_width=charts.WIDTH
    )
    return made


class Pages:
    """The pages, out of ledger and bus."""

    def __init__(self, ledger: Ledger, lock: RunLock, live: Live) -> None:
        self._ledger, self._lock, self._live = ledger, lock, live
        self._templates = environment()

    def draw(self, template: str, **facts: Any) -> str:
        """A template, filled in."""
        return self._templates.get_template(f"{template}.html").render(now=time.time(), **facts)

    def run_at_work(self) -> str:
        """The part of *Now* that changes while somebody looks."""
        try:
            return self.draw("at_work", **self._at_work())
        except ReleaseError as error:
            return self.draw("unknown", error=error)

    def _at_work(self) -> dict[str, Any]:
        now, newest = time.time(), self._ledger.runs(1)
        moving = self._live.progress.moving()
        shown = tree.of(self._ledger, newest[0], now, moving) if newest else None
        known = self._ledger.known()
        return {
            "run": shown,
            "held": not self._lock.free(),
            "live": known.live,
            "way_back": next(iter(known.good_before()), None),
            "since": self._ledger.live_since(),
            "connected": self._live.connected,
            "again": actions.again(newest[0]) if newest else "",
        }

    def now(self) -> dict[str, Any]:
        """What the page *Now* shows around the run."""
        known = self._ledger.known()
        return {
            "verdicts": known.verdicts,
            "holds": _held_all(known),
            "away": self._ledger.away(),
            "drift": self._ledger.drift(_RECENT),
        }

    def history(self, build: str, kind: str, outcome: str) -> dict[str, Any]:
        """Runs, newest first, of those that somebody looks for."""
        rows, now = self._ledger.runs(_SHOWN), time.time()
        found = [tree.of(self._ledger, row, now) for row in runs.chosen(rows, build, kind, outcome)]
        return {
            "runs": found,
            "longest": max((one.seconds for one in found), default=1.0) or 1.0,
            "builds": sorted({row["build"] for row in rows if row["build"]}, reverse=True),
            "kinds": sorted({row["kind"] for row in rows}),
            "outcomes": sorted({row["outcome"] or tree.RUNNING for row in rows}),
            "build": build,
            "kind": kind,
            "outcome": outcome,
        }

    def run(self, name: str) -> dict[str, Any]:
        """One run; BadRequest when there is none of this name."""
        row = self._ledger.run(name)
        if row is None:
            raise BadRequest(f"there is no run {name[:80]!r}", "old runs are forgotten; see Runs")
        shown = tree.of(self._ledger, row, time.time())
        return {"run": shown, "gantt": charts.gantt(shown), "happened": runs.happened(shown)}

    def releases(self) -> dict[str, Any]:
        """Curves over the releases that the ledger still knows."""
        every = [tree.of(self._ledger, row, time.time()) for row in self._ledger.runs(_SHOWN)]
        return {"curves": releases.curves(releases.live(every))}

    def landings(self) -> dict[str, Any]:
        """What landed, with what was said about it and what the gate found."""
        known = self._ledger.known()
        landed = [
            {
                "landing": one,
                "verdicts": [v for v in known.verdicts if v.build in (None, one.build)],
                "gate": self._gate(one.build),
                # A build never goes live after a newer one.
                "newer": known.live is None or one.build >= known.live.build,
            }
            for one in self._ledger.landings()
        ]
        return {
            "landings": landed,
            "holds": _held_all(known),
            "kinds": {"hold": HOLD, "bad": BAD, "accepted": ACCEPTED},
            "live": known.live,
        }

    def _gate(self, build: Build) -> dict[str, Any]:
        """What the gate on contents said of a build the last time it looked."""
        for row in self._ledger.runs(_SHOWN):
            if row["build"] == str(build):
                for step in self._ledger.steps(row["id"]):
                    if step["step"] == "check_contents" and step["ended"]:
                        return {**step["figures"], "error": step["error"], "run": row["id"]}
        return {}


def _held_all(known: Known) -> list[Verdict]:
    """What holds every build."""
    return [one for one in known.verdicts if one.kind == HOLD and one.build is None]
