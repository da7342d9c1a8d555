"""The MySQL server of a node.

.. code-block:: yaml

    MySQL has its system tables:
      wb_mysql.initialised
    the webapp may read the databases of builds:
      wb_mysql.readable:
        - reader: wormbase
"""

import wbnode.state
from salt.exceptions import CommandExecutionError
from wbcore.errors import StepFailed

__virtualname__ = "wb_mysql"


def __virtual__():
    return __virtualname__


@wbnode.state.failed_state
def initialised(name):
    """Make sure that the data directory has the system tables without which no server starts."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: {"system tables": __salt__["wb_mysql.has_system_tables"]()},
        {"system tables": True},
        lambda wrong: __salt__["wb_mysql.initialise"](),
    )


@wbnode.state.failed_state
def readable(name, reader):
    """Make sure that the webapp may read the databases of builds, and nothing else; what a user
    who was there may do stays.

    reader
        Name of the MySQL user.
    """

    def read():
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
