"""Step 10 of the wiki page: the blog post."""

from __future__ import annotations

from typing import Any

from ..run import Run

_TODO = "the release is live; run the same command again to post it"


def forecast(run: Run) -> dict[str, Any]:
    return {"blog": f"{run.build} would be posted"} if "post" in run.plan.announce else {}


def take(run: Run) -> dict[str, Any]:
    release = run.plan.release
    if release is None or "post" not in run.plan.announce:
        return {}
    post = run.fleet.one(run.settings.staging, "wb_announce.post", _TODO, release=str(release))
    run.ledger.mark(release, "posted")
    return {"blog": post}
