"""How genes come, change and go from build to build.

A build is a pure function of its lineage: the steps from the first build on, each a
number and a seed. What happens to a gene in a step depends on that step and on the gene
alone, so a larger scale has the same genes as a smaller one, and more.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .sources import RealGene

DAF_2 = "WBGene00000898"
GENES = 12_000
# Shares of the genes in each step. Of the genes that exist in the end, some do not yet
# exist in the first build, so there is something to add.
CHANGED, GONE, UNBORN, BORN = 0.03, 0.004, 0.06, 0.1


@dataclass(frozen=True)
class Step:
    """One build in a lineage."""

    number: int
    seed: int

    @property
    def build(self) -> str:
        return f"WS{self.number}"


Lineage = tuple[Step, ...]


@dataclass(frozen=True)
class Gene:
    """A gene as a build has it; ``history`` holds the build and the kind of each change."""

    real: RealGene
    history: tuple[tuple[str, str], ...]

    @property
    def id(self) -> str:
        return self.real.id

    @property
    def version(self) -> int:
        """How often it has changed, from 1 on."""
        return len(self.history)

    @property
    def release(self) -> str:
        """The build that changed it last."""
        return self.history[-1][0]


def chance(*words: object) -> float:
    """A number from 0 to 1 that depends on the words alone."""
    name = "/".join(map(str, words)).encode()
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big") / 2**64


def genes_of(real: Iterable[RealGene], lineage: Lineage, scale: float = 1) -> list[Gene]:
    """The genes of the last build of a lineage, in the order of their ids."""
    seed = lineage[0].seed
    chosen = sorted(real, key=lambda gene: (gene.id != DAF_2, chance("order", seed, gene.id)))
    pool = itertools.islice(_copied(chosen), int(GENES * scale))
    living = (gene for one in pool if (gene := _life(one, lineage)))
    return sorted(living, key=lambda gene: gene.id)


def _copied(real: list[RealGene]) -> Iterator[RealGene]:
    """Genes without end: the real ones, then copies of them as another strain has them."""
    yield from real
    for copy in itertools.count(1):
        for gene in real:
            number = int(gene.id.removeprefix("WBGene")) + copy * 1_000_000
            yield replace(gene, id=f"WBGene{number:08}", public_name=f"{gene.public_name}.{copy}")


def _life(real: RealGene, lineage: Lineage) -> Gene | None:
    history: tuple[tuple[str, str], ...] = ()
    if real.id == DAF_2 or chance("first", real.id) >= UNBORN:
        history = ((lineage[0].build, "Created"),)
    for step in lineage[1:]:
        happens = _happening(real.id, step, born=bool(history))
        if happens == "Gone":
            return None
        if happens:
            history = (*history, (step.build, happens))
    return Gene(real, history) if history else None


def _happening(gene: str, step: Step, born: bool) -> str:
    """What a step does to a gene; nothing is the empty word."""
    if gene == DAF_2:
        return "Changed"
    fate = chance(step.number, step.seed, gene)
    if not born:
        return "Created" if fate < BORN else ""
    if fate < GONE:
        return "Gone"
    return "Changed" if fate < GONE + CHANGED else ""


def compared(old: Iterable[Gene], new: Iterable[Gene]) -> Iterator[tuple[str, str]]:
    """(gene id, ``added``, ``changed`` or ``gone``) for all that differ between two builds."""
    before = {gene.id: gene.version for gene in old}
    after = {gene.id: gene.version for gene in new}
    for gene in sorted(before.keys() | after.keys()):
        if gene not in before:
            yield gene, "added"
        elif gene not in after:
            yield gene, "gone"
        elif before[gene] != after[gene]:
            yield gene, "changed"
