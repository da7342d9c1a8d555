"""External pillar ``wormbase:live``: what must be live on a node, from the ledger.

An empty ``live`` means that nothing was released yet. When the ledger can not be read the
key is missing altogether, and the states that want it change nothing (they must not take
"unknown" for "none").
"""

from pathlib import Path

from wbcore.layout import Layout
from wbcore.model import desired
from wbcore.settings import Settings
from wbmaster.ledger import Ledger

__virtualname__ = "wb_live"


def __virtual__():
    return __virtualname__


def ext_pillar(minion_id, pillar, *args, **kwargs):
    """The part of ``minion_id``: release, datasets, links, sources, see wbcore.model.desired."""
    settings = Settings.parse(pillar.get("wormbase", {}))
    if minion_id not in settings.nodes:
        return {}
    layout = Layout(Path(__opts__.get("root_dir") or "/"))
    known = Ledger(layout.ledger).known()
    return {"wormbase": {"live": desired.of_node(settings, known, minion_id)}}
