"""External pillar ``wormbase_edition``: of which state of the pillar's files this pillar is made.

Apart from the settings: what changes in another node's file is no change of this node's state.
"""

from wbcore.model.observations import EDITION
from wbmaster.nodes.edition import edition

__virtualname__ = "wb_edition"


def __virtual__():
    return __virtualname__


def ext_pillar(minion_id, pillar, *args, **kwargs):
    """The edition, the same for every minion; see wbmaster.nodes.edition."""
    return {EDITION: edition(__opts__["pillar_roots"])}
