"""The links of the download tree.

.. code-block:: yaml

    the download links follow WS221-2010.12.24-0.02-1350:
      wb_download.followed:
        - builds: {production: WS221, development: WS222}
        - going_live: False
        - epoch: 12
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wbnode.state
from wbcore.model import downloads
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_download"
_CHANGED = "What is live or landed has changed meanwhile: the links are left alone."


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def followed(name: str, builds: Mapping[str, str], going_live: bool, epoch: int) -> State:
    """Make sure that the links of the download tree lead to the builds that they are for.

    builds
        ``production``, the live build, and ``development``, the newest that landed, if one did.
    going_live
        Whether a go-live is running: it moves the links then, and this leaves them alone.
    epoch
        The epoch of the ledger: nothing is moved once this server was told a later one.

    A link whose target is not there is named and left. Something else in the place of a link is
    an error, once all other links are right.
    """
    if going_live:
        return wbnode.state.outcome(name, True, "A go-live is running: the links are left to it.")
    found = __salt__["wb_download.look"](builds)
    right = all(found["have"].get(link) == target for link, target in found["wanted"].items())
    if not (right or __opts__["test"] or _as_ever(builds, epoch)):
        return wbnode.state.outcome(name, True, _CHANGED)
    done = wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: found["have"],
        found["wanted"],
        lambda wrong: __salt__["wb_download.follow"](builds, epoch=epoch),
    )
    told = downloads.troubles(found["missing"], found["blocked"])
    result = False if found["blocked"] else done["result"]
    return {**done, "result": result, "comment": " ".join([done["comment"], *told])}


def _as_ever(builds: Mapping[str, str], epoch: int) -> bool:
    """Whether the master, asked again, says the same as when it gave the states."""
    now = wbnode.state.live(__salt__)
    told = (now.get("downloads"), now.get("epoch"), now.get("going_live"))
    return told == (builds, epoch, False)
