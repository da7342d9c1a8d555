"""Packages of the distribution.

Salt's own state asks dpkg for every package and its version, which is a tenth of the time that
a node's states take when nothing is to do.

.. code-block:: yaml

    ssh and rsync are installed:
      wb_package.installed:
        - pkgs: [openssh-server, rsync]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import wbnode.dpkg
import wbnode.minion
import wbnode.state
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_package"


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def installed(name: str, pkgs: Sequence[str]) -> State:
    """Make sure that packages are installed, in whatever version.

    pkgs
        Their names.
    """

    def read() -> dict[str, Any]:
        return dict.fromkeys(
            wbnode.dpkg.installed(wbnode.minion.layout_of(__opts__).root), "installed"
        )

    return wbnode.state.reach(
        name,
        __opts__["test"],
        read,
        dict.fromkeys(pkgs, "installed"),
        lambda missing: __salt__["pkg.install"](pkgs=list(missing), refresh=True),
    )
