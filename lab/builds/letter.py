"""The release notes of a build, which the announcement is made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from .databases import rebuilt
from .genes import DAF_2, Gene, Lineage, compared

_EXAMPLES = 5


def letter(lineage: Lineage, before: list[Gene], genes: list[Gene]) -> str:
    """The text of ``letter.WS221``: what is in the build and what changed in it."""
    build = lineage[-1].build
    counts = Counter(gene.real.biotype for gene in genes)
    lines = [
        f"New release of WormBase {build}",
        "",
        f"{build} was built by the WormBase consortium.",
        f"This release includes {len(genes):,} genes of C. elegans:",
        "",
        *(f"  {kind:<24}{count:>8,}" for kind, count in sorted(counts.items())),
        "",
        *_changes(lineage, before, genes),
        "Databases rebuilt for this release:",
        "",
        *(f"  {name}" for name in rebuilt(lineage)),
    ]
    return "\n".join(lines) + "\n"


def _changes(lineage: Lineage, before: list[Gene], genes: list[Gene]) -> Iterable[str]:
    if len(lineage) == 1:
        return
    kinds: dict[str, list[str]] = {"added": [], "changed": [], "gone": []}
    for gene, kind in compared(before, genes):
        kinds[kind].append(gene)
    yield f"Since {lineage[-2].build}:"
    yield ""
    for kind, found in kinds.items():
        # daf-2 is the gene that everybody looks at first.
        shown = sorted(found, key=lambda gene: (gene != DAF_2, gene))[:_EXAMPLES]
        yield f"  {kind:<8}{len(found):>8,}  such as {', '.join(shown) or 'none'}"
    yield ""
