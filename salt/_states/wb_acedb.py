"""The AceDB server of a node.

.. code-block:: yaml

    nothing else has AceDB's port:
      wb_acedb.sole
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wbnode.minion
import wbnode.state
from wbcore.errors import BadData
from wbnode.state import State

# Salt gives them to the module.
__pillar__: Mapping[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_acedb"


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def sole(name: str) -> State:
    """Make sure that no file of xinetd but the project's gives out AceDB's port: of two entries
    for a port only one works, and which one changes with a restart. Nothing is changed."""
    acedb = wbnode.minion.settings_of(__pillar__).acedb
    if rivals := __salt__["wb_acedb.rivals"]():
        raise BadData(
            f"{', '.join(rivals)} has an entry for AceDB's port {acedb.port}, too",
            "set wormbase:acedb:xinetd in the pillar to the name of that file, or remove the file",
        )
    return wbnode.state.outcome(name, True, "It is so already.")
