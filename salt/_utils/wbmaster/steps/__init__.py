"""The steps of a run, a file each, named as the step; ``orch/steps/`` puts them in order.

A step has ``forecast(run)``, what it would do, from the plan alone, and ``take(run)``,
which does it. Both return what changes, as a dictionary that is empty when nothing is to
do; ``take`` raises a ReleaseError when it can not be done.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, NamedTuple

from ..run import Run

STEPS = (
    "seal",
    "check_contents",
    "check_disk_space",
    "make_parcels",
    "push_acedb",
    "push_mysql",
    "push_support",
    "push_webapp",
    "take_out_of_service",
    "canary",
    "go_live",
    "return_to_service",
    "copy_reference",
    "publish_software",
    "post_blog",
    "send_mail",
    "purge_old_releases",
    "purge_build",
    "prepare_carriers",
    "seal_live",
    "verify_in_place",
    "record_live",
    "apply_states",
)


class Step(NamedTuple):
    """A step by its name."""

    forecast: Callable[[Run], dict[str, Any]]
    take: Callable[[Run], dict[str, Any]]


def step(name: str) -> Step:
    """The step of this name; a KeyError names one that does not exist."""
    if name not in STEPS:
        raise KeyError(name)
    module = importlib.import_module(f"{__name__}.{name}")
    return Step(module.forecast, module.take)
