"""Beacon of the development server: a build has landed when its last step wrote ``READY``.

It announces a build again until the pillar shows it live (or something newer), so that an
event that got lost costs a minute and no more.
"""

import time

from wbcore import events
from wbcore.names import Build

__virtualname__ = "wb_build_ready"

# Announced once at once, and then again at this distance while it is not live.
AGAIN_SECONDS = 60


def __virtual__():
    return __virtualname__


def validate(config):
    """The beacon takes no settings of its own but Salt's ``interval``."""
    return True, "Valid beacon configuration"


def beacon(config):
    """Announce the newest landed build that is newer than the live one.

    .. code-block:: yaml

        beacons:
          wb_build_ready:
            - interval: 5
    """
    builds = __salt__["wb_build.builds"]()
    ready = [Build.parse(name) for name, facts in builds.items() if facts["ready"]]
    live = __pillar__.get("wormbase", {}).get("live", {}).get("build")
    if not ready or (live and max(ready) <= Build.parse(live)):
        return []
    newest = str(max(ready))
    last = __context__.get("wb_build_ready", ("", 0.0))
    if last[0] != newest or time.monotonic() - last[1] > AGAIN_SECONDS:
        __context__["wb_build_ready"] = (newest, time.monotonic())
        # The tag a person's event.send has; a beacon's own would be salt/beacon/….
        __salt__["event.send"](events.BUILD_READY, {"build": newest, "cause": events.LANDED})
    return []
