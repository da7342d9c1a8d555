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
from wbnode.due_restarts import XINETD
from wbnode.serving import processes

_RUNNING = ("active", "reloading")
# One that is being started, as a minion is whose first act is to enforce its states, is not
# started again; one that waits to be started again after it died is.
_STARTING = ("start", "start-post")
_ENABLED = ("enabled", "alias", "static")
# Where systemd makes units of init scripts. One that is loaded hides a file that came later.
_GENERATED = "/run/systemd/generator"


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
    is_starting = told["ActiveState"] == "activating" and told["SubState"] in _STARTING
    # One that systemd knew by an init script is called active after its processes have ended.
    is_active = told["ActiveState"] in _RUNNING and told["SubState"] != "exited"
    return {
        "running": is_active or is_starting,
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


def taken(at: int | str) -> bool:
    """Whether anybody listens there.

    at
        A TCP port, or the path of a socket.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.taken 5000
    """
    layout = wbnode.minion.layout_of(__opts__)
    if isinstance(at, int):
        return bool(processes.listening(at))
    return bool(processes.listening_at(layout.below(at)))


@wbnode.minion.salt_errors
def restart_later(name: str) -> None:
    """Have a server restarted once this node serves nobody: the master takes it out of the pool.
    On a node that is in no pool somebody has to say when: ``wb_service.restart_due``.

    name
        ``acedb``, or the name of a service.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.restart_later mariadb
    """
    wbnode.due_restarts.note(wbnode.minion.layout_of(__opts__), name)
    if pooled():
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
    """Restart the servers that wait for it; their names. Servers that somebody started by hand
    give way to their units. The master calls it while this node serves nobody.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.restart_due
    """
    layout, names = wbnode.minion.layout_of(__opts__), due()
    settings = wbnode.minion.settings_of(__pillar__)
    # These answer when they have restarted; of any other, systemd says whether it runs.
    restarts = {
        ACEDB: "wb_acedb.restart",
        XINETD: "wb_acedb.follow",
        settings.mysql.service: "wb_mysql.restart",
        settings.webapp.service: "wb_webapp.restart",
    }
    for name in names:
        if name in restarts:
            __salt__[restarts[name]]()
        elif not __salt__["service.restart"](name):
            raise StepFailed(
                f"{name} did not restart", f"run systemctl restart {name} on this node"
            )
        wbnode.due_restarts.done(layout, name)
    return names


def serves() -> bool:
    """Whether visitors may be served from this node: something is live on it, whoever made it
    live.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.serves
    """
    return bool(__salt__["wb_link.read"]())


@wbnode.minion.salt_errors
def pooled() -> bool:
    """Whether the master can take this node out of the proxy's pool: it is a web node.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.pooled
    """
    settings = wbnode.minion.settings_of(__pillar__)
    return __opts__["id"] in settings.having("web")
