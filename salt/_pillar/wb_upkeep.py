"""External pillar ``schedule``: what each node does by itself, in Salt's own schedule.

Apart from ``wb_live``: a ledger that can not be read must not end the enforcement of all else.
"""

from wbcore import upkeep
from wbcore.settings import Settings

__virtualname__ = "wb_upkeep"


def __virtual__():
    return __virtualname__


def ext_pillar(minion_id, pillar, *args, **kwargs):
    """The schedule of ``minion_id``, see wbcore.upkeep; nothing for a minion that is no node."""
    settings = Settings.parse(pillar.get("wormbase", {}))
    return {"schedule": upkeep.schedule()} if minion_id in settings.nodes else {}
