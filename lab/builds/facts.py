"""What the databases say about a gene, derived from the gene alone.

A changed gene says something else in some respects and the same in the others, as when
a curator has been at it: each fact has its own dice, thrown anew in some versions only.
"""

from __future__ import annotations

import random
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

from .genes import DAF_2, Gene, chance

# Chromosomes of C. elegans and their true lengths in bases.
CHROMOSOMES = {
    "I": 15_072_434,
    "II": 15_279_421,
    "III": 13_783_801,
    "IV": 17_493_829,
    "V": 20_924_180,
    "X": 17_718_942,
}
SPECIES = {
    "b_malayi": "Brugia malayi",
    "c_angaria": "Caenorhabditis angaria",
    "c_brenneri": "Caenorhabditis brenneri",
    "c_briggsae": "Caenorhabditis briggsae",
    "c_japonica": "Caenorhabditis japonica",
    "c_remanei": "Caenorhabditis remanei",
    "h_contortus": "Haemonchus contortus",
    "m_hapla": "Meloidogyne hapla",
    "m_incognita": "Meloidogyne incognita",
    "p_pacificus": "Pristionchus pacificus",
}
ELEGANS = "Caenorhabditis elegans"
TISSUES = (
    "pharynx",
    "intestine",
    "hypodermis",
    "body wall muscle",
    "germ line",
    "nervous system",
    "vulva",
    "excretory cell",
    "amphid neurons",
)
METHODS = ("Inparanoid", "OMA", "TreeFam", "Compara")
_CLUSTERS = 2000


@dataclass(frozen=True)
class Interaction:
    """Two genes that act on one another."""

    id: str
    partner: str
    type: str
    score: float


@dataclass(frozen=True)
class Facts:
    """Everything that is said of one gene; ``others`` are the ids of all genes, in order."""

    gene: Gene
    others: list[str]

    @cached_property
    def chromosome(self) -> str:
        if self.gene.id == DAF_2:
            return "III"
        place = chance("chromosome", self.gene.id)
        return tuple(CHROMOSOMES)[int(place * len(CHROMOSOMES))]

    @cached_property
    def strand(self) -> str:
        return "+" if chance("strand", self.gene.id) < 0.5 else "-"

    @cached_property
    def exons(self) -> list[tuple[int, int]]:
        """First and last base of each exon, from left to right."""
        dice = self._dice("model")
        at = int(chance("start", self.gene.id) * (CHROMOSOMES[self.chromosome] - 40_000)) + 1
        found = []
        for _ in range(1 if self._short else dice.randint(2, 10)):
            length = dice.randint(60, 500)
            found.append((at, at + length - 1))
            at += length + dice.randint(45, 600)
        return found

    @property
    def start(self) -> int:
        return self.exons[0][0]

    @property
    def stop(self) -> int:
        return self.exons[-1][1]

    @cached_property
    def map_position(self) -> float:
        """Place on the genetic map of its chromosome, in centimorgans."""
        share = self.start / CHROMOSOMES[self.chromosome]
        return round((share - 0.5) * 50, 2)

    @cached_property
    def description(self) -> str:
        """The real description, where there is one, and what curators added since."""
        gene = self.gene
        added = [
            f"{gene.real.public_name} was curated again in {build}, and is now known to be "
            f"expressed in the {TISSUES[int(chance(gene.id, build) * len(TISSUES))]}."
            for build, _ in gene.history[1:]
        ]
        first = gene.real.description or f"{gene.real.public_name} is a {gene.real.biotype}."
        return " ".join([first, *added[-2:]])

    @cached_property
    def expression(self) -> list[tuple[str, float]]:
        """Clusters of genes that it is expressed with, and how strongly."""
        dice = self._dice("expression")
        names = dice.sample(range(_CLUSTERS), 1 if self._short else dice.randint(2, 8))
        return [
            (f"WBPaper000{26_000 + name}:cluster", dice.randint(1, 999) / 100) for name in names
        ]

    @cached_property
    def interactions(self) -> list[Interaction]:
        dice = self._dice("interactions")
        number = 0 if self._short else min(int(dice.expovariate(0.4)), 12)
        kinds = ("Genetic", "Physical", "Regulatory", "Predicted")
        return [
            Interaction(
                self._interaction(place),
                self._partner(dice),
                dice.choice(kinds),
                dice.randint(1, 999) / 10,
            )
            for place in range(number)
        ]

    @cached_property
    def orthologs(self) -> list[tuple[str, str, str]]:
        """(species, id of the gene there, method) of its counterparts."""
        if self._short:
            return []
        return [
            (
                species,
                self._name_in(prefix),
                METHODS[int(chance(prefix, self.gene.id, "method") * len(METHODS))],
            )
            for prefix, species in SPECIES.items()
            if chance(prefix, self.gene.id) < 0.45
        ]

    @cached_property
    def remark(self) -> str:
        """When it was looked at last; daf-2's names every build, so a reader sees which it is."""
        return f"Curated in {self.gene.release}"

    @property
    def _short(self) -> bool:
        """Whether little is known of it, as of most that are not genes of proteins."""
        return not self.gene.real.description

    def _interaction(self, place: int) -> str:
        return f"WBInteraction{self.gene.id[-8:]}{place:02}"

    def _partner(self, dice: random.Random) -> str:
        """Any gene; that others come or go makes no difference to who is chosen."""
        place = bisect_left(self.others, f"WBGene{dice.randint(1, 25_000):08}")
        return self.others[min(place, len(self.others) - 1)]

    def _name_in(self, species: str) -> str:
        return f"{species[0].upper()}{species[2:5]}{self.gene.id[-5:]}"

    def _dice(self, fact: str) -> random.Random:
        """Dice that a version throws anew for about every other fact."""
        versions = range(self.gene.version, 1, -1)
        thrown = next((v for v in versions if chance(fact, self.gene.id, v) < 0.5), 1)
        return random.Random(f"{fact}/{self.gene.id}/{thrown}")


def facts_of(genes: list[Gene]) -> list[Facts]:
    """The facts about each gene."""
    names = [gene.id for gene in genes]
    return [Facts(gene, names) for gene in genes]
