"""The support databases beside BLAST and BLAT: thousands of small files, a few large."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from .facts import ELEGANS, METHODS, SPECIES, Facts, Interaction
from .genes import Lineage, chance

GENE, INTERACTION, ONTOLOGY, ORTHOLOGY, SEARCH = (
    "gene",
    "interaction",
    "ontology",
    "orthology",
    "search",
)
# How many of the genes have a small file of their own.
_PAGES, _GROUPS, _NETWORKS = 0.15, 0.05, 0.045
_SHARDS = 64
_WORD = re.compile(r"[a-z][a-z0-9-]{2,}")

Files = Iterator[tuple[str, str]]


def write(support: Path, lineage: Lineage, facts: list[Facts]) -> None:
    """Fill the folders of a build below ``support``."""
    build = lineage[-1].build
    for folder, files in {
        GENE: _gene(build, facts),
        INTERACTION: _interaction(build, facts),
        ONTOLOGY: _ontology(build, facts),
        ORTHOLOGY: _orthology(build, facts),
        SEARCH: _search(build, facts),
    }.items():
        for name, text in files:
            path = support / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def _gene(build: str, facts: list[Facts]) -> Files:
    yield (
        f"geneIDs.{build}.txt",
        "".join(
            f"6239,{one.gene.id},{one.gene.real.public_name},{one.gene.real.sequence_name},Live,"
            f"{one.gene.real.biotype}\n"
            for one in facts
        ),
    )
    yield (
        f"functional_descriptions.{build}.txt",
        "".join(
            f"{one.gene.id}\t{one.gene.real.public_name}\t{one.gene.real.sequence_name}\n"
            f"Concise description: {one.description}\n=\n"
            for one in facts
        ),
    )
    for one in _some(facts, GENE, _PAGES):
        yield f"{_folder(one)}/{one.gene.id}.json", _page(build, one)


def _page(build: str, one: Facts) -> str:
    real = one.gene.real
    page = {
        "release": build,
        "gene": one.gene.id,
        "name": real.public_name,
        "species": ELEGANS,
        "biotype": real.biotype,
        "categories": real.categories,
        "description": one.description,
        "position": [one.chromosome, one.start, one.stop, one.strand],
        "exons": one.exons,
        "orthologs": one.orthologs,
        "expression": one.expression,
        "history": one.gene.history,
    }
    return json.dumps(page, indent=1) + "\n"


def _interaction(build: str, facts: list[Facts]) -> Files:
    lines = {one.gene.id: [_pair(one, found) for found in one.interactions] for one in facts}
    yield f"interactions.{build}.tsv", "".join(line for some in lines.values() for line in some)
    for one in _some(facts, INTERACTION, _NETWORKS):
        yield f"{_folder(one)}/{one.gene.id}.tsv", "".join(["# id\n", *lines[one.gene.id]])


def _pair(one: Facts, found: Interaction) -> str:
    return f"{found.id}\t{found.type}\t{one.gene.id}\t{found.partner}\t{found.score}\n"


def _ontology(build: str, facts: list[Facts]) -> Files:
    members: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in facts:
        members[one.gene.real.categories].append(one.gene.id)
    terms = {categories: f"WC:{place:07}" for place, categories in enumerate(sorted(members))}
    yield (
        f"terms.{build}.obo",
        f"format-version: 1.2\ndata-version: {build}\n"
        + "".join(
            f"\n[Term]\nid: {term}\nname: {categories[-1]}\nnamespace: {categories[0]}\n"
            for categories, term in terms.items()
        ),
    )
    yield (
        f"gene_association.{build}.wb",
        "".join(
            f"WB\t{one.gene.id}\t{one.gene.real.public_name}\t\t{terms[one.gene.real.categories]}\t"
            f"{paper}\t{evidence}\t\tP\t\t{one.gene.real.sequence_name}\tgene\ttaxon:6239\n"
            for one in facts
            for paper, evidence in _evidence(one)
        ),
    )
    for categories, term in terms.items():
        yield f"terms/{term[3:]}.txt", "\n".join([*categories, *members[categories], ""])


def _evidence(one: Facts) -> Iterator[tuple[str, str]]:
    """(paper, kind of evidence) of each statement about a gene's place in the ontology."""
    yield "WB_REF:WBPaper00055090", "IEA"
    for name, strength in one.expression:
        yield f"WB_REF:{name.partition(':')[0]}", "IEP" if strength > 5 else "IMP"


def _orthology(build: str, facts: list[Facts]) -> Files:
    for prefix, species in SPECIES.items():
        yield (
            f"c_elegans.{prefix}.{build}.tsv",
            "".join(
                f"{one.gene.id}\t{name}\t{method}\n"
                for one in facts
                for found, name, method in one.orthologs
                if found == species
            ),
        )
    for one in _some(facts, ORTHOLOGY, _GROUPS):
        text = "".join(f"{species}\t{name}\t{method}\n" for species, name, method in one.orthologs)
        yield f"{_folder(one)}/{one.gene.id}.txt", f"methods: {', '.join(METHODS)}\n{text}"


def _search(build: str, facts: list[Facts]) -> Files:
    """An inverted index: for each word the numbers of the documents that have it."""
    index: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(facts):
        for word in sorted(set(_WORD.findall(one.description.lower()))):
            index[word].append(number)
    shards: dict[int, list[str]] = defaultdict(list)
    for word in sorted(index):
        postings = " ".join(map(str, index[word]))
        shards[int(chance("shard", word) * _SHARDS)].append(f"{word}\t{postings}\n")
    for shard, lines in shards.items():
        yield f"index/{shard:02}.txt", "".join(lines)
    yield (
        f"documents.{build}.txt",
        "".join(
            f"{number}\t{one.gene.id}\t{one.gene.real.public_name}\t{one.description}\t{one.remark}\n"
            for number, one in enumerate(facts)
        ),
    )


def _some(facts: Iterable[Facts], what: str, share: float) -> Iterator[Facts]:
    return (one for one in facts if chance(what, one.gene.id) < share)


def _folder(one: Facts) -> str:
    return one.gene.id[-2:]
