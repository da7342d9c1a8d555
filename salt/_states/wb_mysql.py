"""The MySQL server of a node.

.. code-block:: yaml

    MySQL has its system tables:
      wb_mysql.initialised
    the webapp may read the databases of builds:
      wb_mysql.readable:
        - reader: wormbase
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wbnode.state
from salt.exceptions import CommandExecutionError
from wbcore.errors import StepFailed
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_mysql"


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def initialised(name: str) -> State:
    """Make sure that the data directory has the system tables without which no server starts."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: {"system tables": __salt__["wb_mysql.has_system_tables"]()},
        {"system tables": True},
        lambda wrong: __salt__["wb_mysql.initialise"](),
    )


@wbnode.state.failed_state
def readable(name: str, reader: str) -> State:
    """Make sure that the webapp may read the databases of builds, and nothing else; what a user
    who was there may do stays.

    reader
        Name of the MySQL user.
    """

    def read() -> dict[str, Any]:
        try:
            return {"lacking": __salt__["wb_mysql.lacking"](reader)}
        except CommandExecutionError as error:
            # In a dry run the server may be down, which a state before this would change.
            if __opts__["test"] and isinstance(error.__cause__, StepFailed):
                return {}
            raise

    return wbnode.state.reach(
        name,
        __opts__["test"],
        read,
        {"lacking": []},
        lambda wrong: __salt__["wb_mysql.let_read"](reader),
    )
