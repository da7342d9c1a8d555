"""Packages of the distribution.

Salt's own state asks dpkg for every package and its version, which is a tenth of the time that
a node's states take when nothing is to do.

.. code-block:: yaml

    ssh and rsync are installed:
      wb_package.installed:
        - pkgs: [openssh-server, rsync]
"""

import wbnode.dpkg
import wbnode.minion
import wbnode.state

__virtualname__ = "wb_package"


def __virtual__():
    return __virtualname__


@wbnode.state.failed_state
def installed(name, pkgs):
    """Make sure that packages are installed, in whatever version.

    pkgs
        Their names.
    """

    def read():
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
