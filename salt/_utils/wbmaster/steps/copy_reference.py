"""The reference copy of what is live, on the development server.

Source: the wiki page, "Major Releases": "copies the website/staging directory to
production/ for easy reference on the dev server"; a minor revision makes none.
"""

from __future__ import annotations

from typing import Any

from ..golive import reference_and_software
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    return {"reference copy": str(run.plan.release)} if reference_and_software.due(run) else {}


def take(run: Run) -> dict[str, Any]:
    release = run.plan.release
    if release is None or not reference_and_software.due(run):
        return {}
    shown = reference_and_software.show(run, "wb_software.reference", release)
    return {} if shown is None else {"reference copy": str(release)}
