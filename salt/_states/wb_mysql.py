"""The MySQL server of a node.

.. code-block:: yaml

    MySQL has its system tables:
      wb_mysql.initialised
    the webapp may read every database:
      wb_mysql.readable:
        - reader: wormbase
"""

import wbnode.state
from salt.exceptions import CommandExecutionError

__virtualname__ = "wb_mysql"


def __virtual__():
    return __virtualname__


@wbnode.state.told
def initialised(name):
    """Make sure that the data directory has the system tables without which no server starts."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: {"system tables": __salt__["wb_mysql.has_system_tables"]()},
        {"system tables": True},
        lambda wrong: __salt__["wb_mysql.initialise"](),
    )


@wbnode.state.told
def readable(name, reader):
    """Make sure that a local user may read every database and do nothing else.

    reader
        Name of the user.
    """

    def read():
        try:
            return {reader: __salt__["wb_mysql.grants"](reader)}
        except CommandExecutionError:
            # In a dry run the server may be down, which a state before this would change.
            if __opts__["test"]:
                return {}
            raise

    return wbnode.state.reach(
        name,
        __opts__["test"],
        read,
        {reader: ["SELECT ON *.*"]},
        lambda wrong: __salt__["wb_mysql.let_read"](reader),
    )
