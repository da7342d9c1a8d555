"""The MySQL server of a node.

.. code-block:: yaml

    MySQL has its system tables:
      wb_mysql.initialised
    the webapp may read every database:
      wb_mysql.readable:
        - reader: wormbase
"""

import wbstate

__virtualname__ = "wb_mysql"


def __virtual__():
    return __virtualname__


@wbstate.told
def initialised(name):
    """Make sure that the data directory has the system tables without which no server starts."""
    return wbstate.reach(
        name,
        __opts__["test"],
        lambda: {"system tables": __salt__["wb_mysql.has_system_tables"]()},
        {"system tables": True},
        lambda wrong: __salt__["wb_mysql.initialise"](),
    )


@wbstate.told
def readable(name, reader):
    """Make sure that a local user may read every database and do nothing else.

    reader
        Name of the user.
    """
    return wbstate.reach(
        name,
        __opts__["test"],
        lambda: {reader: __salt__["wb_mysql.grants"](reader)},
        {reader: ["SELECT ON *.*"]},
        lambda wrong: __salt__["wb_mysql.let_read"](reader),
    )
