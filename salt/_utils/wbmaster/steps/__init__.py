"""The steps of a run, a file each; ``orch/steps/`` puts them in order.

A step has ``forecast(run)``, what it would do, from the plan alone, and ``take(run)``,
which does it. Both return what changes, as a dictionary that is empty when nothing is to
do; ``take`` raises a ReleaseError when it can not be done.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ..run import Run

STEPS = {
    "seal": "seal",
    "check_contents": "check_contents",
    "check_disk_space": "check_disk_space",
    "make_parcels": "make_parcels",
    "push_acedb": "databases",
    "push_mysql": "databases",
    "push_support": "databases",
    "stage_webapp": "stage_webapp",
    "maintenance_on": "maintenance_on",
    "canary": "canary",
    "go_live": "go_live",
    "maintenance_off": "maintenance_off",
    "copy_reference": "copy_reference",
    "publish_software": "publish_software",
    "post_blog": "announcing",
    "send_mail": "announcing",
    "purge_old_releases": "purge_old_releases",
    "purge_build": "purge_build",
}


class Step(NamedTuple):
    """A step by its name."""

    forecast: Callable[[Run], dict[str, Any]]
    take: Callable[[Run], dict[str, Any]]


def step(name: str) -> Step:
    """The step of this name; a KeyError names one that does not exist."""
    module = importlib.import_module(f"{__name__}.{STEPS[name]}")
    if hasattr(module, "named"):
        return Step(*module.named(name))
    return Step(module.forecast, module.take)
