"""Step 9 of the wiki page: the site is restored to active mode."""

from __future__ import annotations

from typing import Any

from .. import changeover
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive or changeover.repairs(run):
        return {}
    return {run.settings.proxy: f"would serve {run.plan.release}"}


def take(run: Run) -> dict[str, Any]:
    if not run.plan.needs_golive or changeover.repairs(run):
        return {}
    window = changeover.page_down(run)
    run.notes.setdefault("figures", {})["maintenance_off"] = {"window": round(window, 2)}
    return {run.settings.proxy: f"active after {window:.1f} s, serving {run.plan.release}"}
