"""The software release on the FTP site.

Source: the wiki page, "Major Releases"; a minor revision makes none.
"""

from __future__ import annotations

from typing import Any

from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return {"software release": str(run.plan.release)} if "publish" in run.plan.announce else {}


def take(run: Run) -> dict[str, Any]:
    release = run.plan.release
    if release is None or "publish" not in run.plan.announce:
        return {}
    made = run.fleet.one(
        run.settings.staging,
        "wb_software.publish",
        "the release is live; run the same command again to do the rest",
        release=str(release),
    )
    run.ledger.mark(release, "published")
    return {"software release": made["tarball"]}
