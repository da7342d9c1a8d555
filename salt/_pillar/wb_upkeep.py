"""External pillar ``schedule``: what each node does by itself, in Salt's own schedule.

Apart from ``wb_live``: a ledger that can not be read must not end the enforcement of all else.
"""

from wbcore.enforcement import schedule
from wbcore.settings import Settings

__virtualname__ = "wb_upkeep"


def __virtual__():
    return __virtualname__


def ext_pillar(minion_id, pillar, *args, **kwargs):
    """The schedule of ``minion_id``, nothing for a minion that is no node; see
    wbcore.enforcement.schedule."""
    settings = Settings.parse(pillar.get("wormbase", {}))
    return {"schedule": schedule.schedule()} if minion_id in settings.nodes else {}
