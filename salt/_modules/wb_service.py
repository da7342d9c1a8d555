"""The services of this node: whether they run, and whether they start at boot.

Salt's own functions look at every service of a node to tell of one, which takes several times
as long; starting and stopping is theirs.
"""

from __future__ import annotations

import subprocess

import wbnode.minion

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


def enabled(name: str) -> bool:
    """Whether a service starts at boot. (systemd, too, keeps the links of init scripts.)

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_service.enabled mariadb
    """
    root = wbnode.minion.layout_of(__opts__).root
    return any(root.glob(f"{_LINKS}{name}"))
