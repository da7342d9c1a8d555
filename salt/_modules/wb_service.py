"""The services of this node: whether they run, and whether they start at boot.

Salt's own functions look at every service of a node to tell of one, which takes several times
as long; starting and stopping is theirs.
"""

from __future__ import annotations

import subprocess

import wbnode.due_restarts
import wbnode.minion
from wbcore import events
from wbcore.datasets import ACEDB
from wbcore.errors import StepFailed
from wbcore.model.links import PRODUCTION

# Of the runlevels in which a server serves.
_LINKS = "etc/rc[2-5].d/S[0-9][0-9]"


def running(name: str) -> bool:
    """Whether a service runs, as its own init script says.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.running mariadb
    """
    done = subprocess.run(
        ["service", name, "status"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


@wbnode.minion.salt_errors
def restart_later(name: str) -> None:
    """Have a server restarted once this node serves nobody: the master takes it out of the pool.

    name
        ``acedb``, or the name of a service.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.restart_later mariadb
    """
    wbnode.due_restarts.note(wbnode.minion.layout_of(__opts__), name)
    __salt__["event.send"](events.due_tag(__opts__["id"]))


def due() -> list[str]:
    """The servers of this node that wait to be restarted.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_service.due
    """
    return wbnode.due_restarts.servers(wbnode.minion.layout_of(__opts__))


@wbnode.minion.salt_errors
def restart_due() -> list[str]:
    """Restart the servers that wait for it; their names. The master calls it while this node
    serves nobody.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.restart_due
    """
    layout, names = wbnode.minion.layout_of(__opts__), due()
    for name in names:
        if name == ACEDB:
            __salt__["wb_acedb.restart"]()
        elif not __salt__["service.restart"](name):
            raise StepFailed(f"{name} did not restart", f"run service {name} restart on this node")
        wbnode.due_restarts.done(layout, name)
    return names


def serves() -> bool:
    """Whether this node may be in the proxy's pool: it is a web node on which something is live.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.serves
    """
    node = wbnode.minion.settings_of(__pillar__).nodes.get(__opts__["id"])
    return node is not None and "web" in node.roles and PRODUCTION in __salt__["wb_link.read"]()


def enabled(name: str) -> bool:
    """Whether a service starts at boot. (systemd, too, keeps the links of init scripts.)

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.enabled mariadb
    """
    root = wbnode.minion.layout_of(__opts__).root
    return any(root.glob(f"{_LINKS}{name}"))
