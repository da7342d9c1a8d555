"""What the runners share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wbcore.errors import ReleaseError

from ..office import Office, own_pillar


def office(opts: Mapping[str, Any], grains: Mapping[str, Any]) -> Office:
    """The tools of the master that a runner runs on."""
    return Office(opts, own_pillar(opts, grains))


def answer(function: Callable[[], Any]) -> Any:
    """What a function returns; one sentence and exit code 1 for what is one of our errors."""
    try:
        return function()
    except ReleaseError as error:
        # Salt takes the exit code of salt-run from here, and from nothing else.
        return {"error": str(error), "retcode": 1}


def table(opts: Mapping[str, Any], function: Callable[[], Any]) -> Any:
    """The same, shown as a table where somebody at a terminal asked. Whoever calls the runner
    from a program gets the plain answer."""
    told = answer(function)
    asked = str(opts.get("fun", "")).startswith("wb_release.")
    return {"data": told, "outputter": "wb_table"} if asked else told
