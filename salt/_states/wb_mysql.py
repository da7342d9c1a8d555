"""The MySQL server of a node.

.. code-block:: yaml

    no database is elsewhere:
      wb_mysql.together
    MySQL has its system tables:
      wb_mysql.initialised
    MySQL has its databases in the project's directory:
      wb_mysql.placed
    the webapp may read the databases of builds:
      wb_mysql.readable:
        - reader: wormbase
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wbnode.minion
import wbnode.state
from salt.exceptions import CommandExecutionError
from wbcore.datasets import MYSQL
from wbcore.errors import BadData, StepFailed
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_mysql"


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def together(name: str) -> State:
    """Make sure that the server has no databases outside of the project's data directory, which
    it would not find after its next start. Nothing is moved: the state fails and names them."""
    found = __salt__["wb_mysql.elsewhere"]()
    if found:
        raise BadData(
            f"MariaDB has databases outside of {_data()}: {', '.join(found)}",
            "move them there and set that datadir in MariaDB's own configuration; nothing was done",
        )
    return wbnode.state.outcome(name, True, "It is so already.")


@wbnode.state.failed_state
def placed(name: str) -> State:
    """Make sure that the running server has its databases in the project's data directory. It is
    restarted for that while it has none, and never otherwise."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: _unless_down(_place),
        {"data directory": _data()},
        lambda _: _move(),
    )


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

    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: _unless_down(lambda: {"lacking": __salt__["wb_mysql.lacking"](reader)}),
        {"lacking": []},
        lambda wrong: __salt__["wb_mysql.let_read"](reader),
    )


def _unless_down(read: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the server says; nothing in a dry run while it is down, which a state before this
    would change."""
    try:
        return read()
    except CommandExecutionError as error:
        if __opts__["test"] and isinstance(error.__cause__, StepFailed):
            return {}
        raise


def _data() -> str:
    return str(wbnode.minion.layout_of(__opts__).kind(MYSQL).resolve())


def _place() -> dict[str, Any]:
    place: dict[str, Any] = __salt__["wb_mysql.place"]()
    return place


def _move() -> None:
    place = _place()
    if place["databases"]:
        raise BadData(
            f"MariaDB runs in {place['data directory']}, with {', '.join(place['databases'])}",
            f"move them to {_data()}, and restart it there; nothing was done",
        )
    __salt__["wb_mysql.restart"]()
    if (now := _place()["data directory"]) != _data():
        raise StepFailed(
            f"MariaDB runs in {now} after its restart, and should run in {_data()}",
            "see which files of configuration its unit reads; wormbase:mysql:config is one of them",
        )
