"""Beacon of the development server: a build has landed when its last step wrote ``READY``.

It announces a build again until the master has acknowledged it (``wb_build.acknowledge``),
and remembers both on disk, so that neither a lost event nor a restart loses a landing.
"""

import time

import wbnode.minion
from wbcore import events
from wbnode.build.landing_notices import Announced

__virtualname__ = "wb_build_ready"


def __virtual__():
    return __virtualname__


def validate(config):
    """The beacon takes no settings of its own but Salt's ``interval``."""
    return True, "Valid beacon configuration"


def beacon(config):
    """Announce the newest build that has landed and that the master has not acknowledged.

    .. code-block:: yaml

        beacons:
          wb_build_ready:
            - interval: 5
    """
    memory, now = Announced(wbnode.minion.layout_of(__opts__)), time.time()
    builds = {name: facts["ready"] for name, facts in __salt__["wb_build.builds"]().items()}
    build = memory.due(builds, now)
    if build is not None:
        memory.note(build, now)
        # The tag a person's event.send has; a beacon's own would be salt/beacon/….
        __salt__["event.send"](events.BUILD_READY, {"build": str(build), "cause": events.LANDED})
    return []
