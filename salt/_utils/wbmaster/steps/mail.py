"""Step 11 of the wiki page: the release mail."""

from __future__ import annotations

from typing import Any

from ..run import Run

_TODO = "the release is live; run the same command again to send the letter"


def forecast(run: Run) -> dict[str, Any]:
    return {"letter": f"{run.build} would be announced"} if "mail" in run.plan.announce else {}


def take(run: Run) -> dict[str, Any]:
    release = run.plan.release
    if release is None or "mail" not in run.plan.announce:
        return {}
    letter = run.fleet.one(run.settings.staging, "wb_announce.mail", _TODO, release=str(release))
    run.ledger.mark(release, "mailed")
    return {"letter": letter}
