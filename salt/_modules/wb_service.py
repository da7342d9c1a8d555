"""The services of this node, which are systemd's units.

Salt's own functions ask systemd several times to tell of one service; starting and stopping is
theirs.
"""

from __future__ import annotations

import wbnode.due_restarts
import wbnode.minion
from wbcore import events
from wbcore.datasets import ACEDB
from wbcore.errors import StepFailed
from wbcore.model.links import PRODUCTION
from wbnode.due_restarts import STARMAN

_RUNNING = ("active", "reloading")
_ENABLED = ("enabled", "alias", "static")
# Where systemd makes units of init scripts. One that is loaded hides a file that came later.
_GENERATED = "/run/systemd/generator"
# These answer when they have restarted; of any other, systemd says whether it runs.
_RESTARTS = {ACEDB: "wb_acedb.restart", STARMAN: "wb_webapp.restart"}


def state(name: str) -> dict[str, bool]:
    """What systemd says of a service: ``{"running", "enabled", "current"}``.

    ``enabled`` is whether it starts at boot, and ``current`` whether systemd has read the files of
    its unit since they changed last.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.state mariadb
    """
    wanted = "--property=ActiveState,SubState,UnitFileState,NeedDaemonReload,FragmentPath"
    said = wbnode.minion.command(
        ["systemctl", "show", wanted, f"{name}.service"], "look at systemd on this node"
    )
    told = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return {
        # One that systemd knew by an init script is called active after its processes have ended.
        "running": told["ActiveState"] in _RUNNING and told["SubState"] != "exited",
        "enabled": told["UnitFileState"] in _ENABLED,
        "current": told["NeedDaemonReload"] == "no"
        and not told["FragmentPath"].startswith(_GENERATED),
    }


@wbnode.minion.salt_errors
def reread() -> None:
    """Let systemd read the files of units that have changed. No service is touched.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.reread
    """
    wbnode.minion.command(["systemctl", "daemon-reload"], "look at systemd on this node")


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
        if name in _RESTARTS:
            __salt__[_RESTARTS[name]]()
        elif not __salt__["service.restart"](name):
            raise StepFailed(
                f"{name} did not restart", f"run systemctl restart {name} on this node"
            )
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
