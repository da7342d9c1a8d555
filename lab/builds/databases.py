"""Which MySQL databases there are, and which of them a build makes anew.

Source: docs/field.md, "Paths": one a species, two maps and the alignments; only some are rebuilt
for a given release.
"""

from __future__ import annotations

from .facts import SPECIES
from .genes import Lineage

ELEGANS = "c_elegans"
GENETIC_MAP = "c_elegans_gmap"
PHYSICAL_MAP = "c_elegans_pmap"
ALIGNMENTS = "clustal"
NAMES = (*SPECIES, ELEGANS, GENETIC_MAP, PHYSICAL_MAP, ALIGNMENTS)
# (every so many builds, which of them): a species is rebuilt when its genome is.
_TURNS = {
    ELEGANS: (1, 0),
    GENETIC_MAP: (2, 1),
    PHYSICAL_MAP: (3, 0),
    "c_briggsae": (3, 2),
    "c_remanei": (4, 1),
    "b_malayi": (4, 2),
    "c_brenneri": (5, 1),
    "p_pacificus": (5, 3),
}
_SELDOM = (10, 0)


def rebuilt(lineage: Lineage) -> list[str]:
    """The databases that the last build of a lineage makes anew; the first makes all."""
    number = lineage[-1].number
    if len(lineage) == 1:
        return list(NAMES)
    return [name for name in NAMES if _due(number, *_TURNS.get(name, _SELDOM))]


def _due(number: int, period: int, turn: int) -> bool:
    return number % period == turn
