"""Steps 10 and 11 of the wiki page: the blog post and the release mail, once each."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from wbcore.names import Release

from ..run import Run

Changes = dict[str, Any]


class Way(NamedTuple):
    """A way to announce: its name in the plan and in the ledger, and for people."""

    todo: str
    done: str
    noun: str


_WAYS = {"post_blog": Way("post", "posted", "blog"), "send_mail": Way("mail", "mailed", "letter")}


def named(step: str) -> tuple[Callable[[Run], Changes], Callable[[Run], Changes]]:
    """The step ``post_blog`` or ``send_mail``."""
    way = _WAYS[step]
    return functools.partial(_forecast, way), functools.partial(_take, way)


def _forecast(way: Way, run: Run) -> Changes:
    return {way.noun: f"{run.build} would be announced"} if way.todo in run.plan.announce else {}


def _take(way: Way, run: Run) -> Changes:
    release = run.plan.release
    if release is None or way.todo not in run.plan.announce:
        return {}
    told = run.fleet.one(
        run.settings.staging,
        f"wb_announce.{way.todo}",
        "the release is live; run the same command again to announce it",
        release=str(release),
        before=_before(run, release),
    )
    run.ledger.mark(release, way.done)
    return {way.noun: told}


def _before(run: Run, release: Release) -> str:
    """The build that was live before, whose difference is what is new; there may be none."""
    earlier = [one.build for one in run.known.stack if one.build < release.build]
    return str(earlier[-1]) if earlier else ""
