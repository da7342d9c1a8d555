"""The tables of each MySQL database and the rows that go into them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from . import databases
from .facts import CHROMOSOMES, Facts
from .genes import Lineage, chance

Row = tuple[object, ...]


@dataclass(frozen=True)
class Table:
    """A table: its columns and keys in SQL, and its rows."""

    name: str
    columns: str
    rows: Iterable[Row]


_FEATURES = """id INT UNSIGNED NOT NULL PRIMARY KEY, gene VARCHAR(20) NOT NULL,
    type VARCHAR(20) NOT NULL, start INT UNSIGNED NOT NULL, stop INT UNSIGNED NOT NULL,
    strand CHAR(1) NOT NULL, chromosome VARCHAR(20) NOT NULL, note VARCHAR(255) NOT NULL,
    KEY (gene)"""
# As in Bio::DB::GFF, which served WormBase's genome browser.
_FDATA = """fid INT UNSIGNED NOT NULL PRIMARY KEY, fref VARCHAR(100) NOT NULL,
    fstart INT UNSIGNED NOT NULL, fstop INT UNSIGNED NOT NULL, fbin DOUBLE(20,6) NOT NULL,
    ftypeid INT NOT NULL, fscore FLOAT, fstrand CHAR(1), fphase CHAR(1),
    gid INT UNSIGNED NOT NULL, KEY (fref, fbin, fstart, fstop), KEY (ftypeid), KEY (gid)"""
_FGROUP = """gid INT UNSIGNED NOT NULL PRIMARY KEY, gclass VARCHAR(100) NOT NULL,
    gname VARCHAR(100) NOT NULL, UNIQUE (gclass, gname)"""
_FTYPE = """ftypeid INT NOT NULL PRIMARY KEY, fmethod VARCHAR(100) NOT NULL,
    fsource VARCHAR(100) NOT NULL"""
_POSITIONS = """gene VARCHAR(20) NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL,
    chromosome VARCHAR(20) NOT NULL, position DOUBLE NOT NULL, KEY (chromosome, position)"""
_ALIGNMENTS = """id VARCHAR(40) NOT NULL PRIMARY KEY, alignment TEXT NOT NULL"""
_META = "name VARCHAR(40) NOT NULL PRIMARY KEY, value VARCHAR(255) NOT NULL"
_TYPES = (
    ("gene", "gene"),
    ("exon", "Coding_transcript"),
    ("CDS", "curated"),
    ("Allele", "Allele"),
    ("expressed_sequence_match", "BLAT_EST_BEST"),
    ("PCR_product", "GenePair_STS"),
)
_GENE, _EXON, _CDS, _ALLELE, _EST, _PCR = range(1, 7)
_MATCHES, _ALLELES = 6, 3
_NULL = "\\N"
_SPECIES_GENES = 0.12
_NOTE = 255


def tables_of(database: str, lineage: Lineage, facts: list[Facts]) -> list[Table]:
    """The tables of a database in the last build of a lineage."""
    build = lineage[-1].build
    meta = Table("meta", _META, [("build", build), ("database", database)])
    if database == databases.ELEGANS:
        return [meta, Table("features", _FEATURES, features(facts)), *_browser(facts, database)]
    if database == databases.GENETIC_MAP:
        return [meta, Table("positions", _POSITIONS, _genetic(facts))]
    if database == databases.PHYSICAL_MAP:
        return [meta, Table("positions", _POSITIONS, _physical(facts))]
    if database == databases.ALIGNMENTS:
        return [meta, Table("alignments", _ALIGNMENTS, _alignments(facts))]
    some = [one for one in facts if chance(database, one.gene.id) < _SPECIES_GENES]
    return [meta, *_browser(some, database)]


def features(facts: Iterable[Facts]) -> Iterator[Row]:
    """Rows of ``features``: each gene and what is read from it, then its exons and introns."""
    number = 0
    for one in facts:
        for kind, start, stop, note in _featured(one):
            number += 1
            yield number, one.gene.id, kind, start, stop, one.strand, one.chromosome, note


def _featured(one: Facts) -> Iterator[tuple[str, int, int, str]]:
    real = one.gene.real
    yield "gene", one.start, one.stop, f"{real.public_name}: {one.remark}"
    yield "CDS", one.start, one.stop, one.description[:_NOTE]
    count = len(one.exons)
    for place, (start, stop) in enumerate(one.exons, start=1):
        where = f"{place} of {count} of {real.public_name}, transcript {real.sequence_name}.1"
        yield "exon", start, stop, f"exon {where}, predicted by Genefinder and curated by hand"
        if place < count:
            after = one.exons[place][0] - 1
            yield "intron", stop + 1, after, f"intron {where}, confirmed by sequenced transcripts"


def _browser(facts: list[Facts], database: str) -> list[Table]:
    """Tables of a genome browser; their ids are counted anew in every build."""
    return [
        Table("fdata", _FDATA, _fdata(facts, database)),
        Table("fgroup", _FGROUP, _fgroup(facts, database)),
        Table("ftype", _FTYPE, [(id, *type) for id, type in enumerate(_TYPES, start=1)]),
    ]


def _fdata(facts: Iterable[Facts], database: str) -> Iterator[Row]:
    number = 0
    for group, one in enumerate(facts, start=1):
        for kind, span, score in _located(one, database):
            number += 1
            yield number, span, kind, score, one.strand, _NULL, group


def _located(one: Facts, database: str) -> Iterator[tuple[int, str, object]]:
    """(type, reference with first base, last base and bin, score) of all that lies on a gene.

    Sequenced transcripts match exon by exon, so many rows have the same place.
    """
    reference = f"CHROMOSOME_{one.chromosome}"
    whole = _span(reference, one.start, one.stop)
    exons = [_span(reference, start, stop) for start, stop in one.exons]
    yield _GENE, whole, _NULL
    for span in exons:
        yield _EXON, span, _NULL
        yield _CDS, span, _NULL
    for match in range(int(chance(database, one.gene.id, "matches") * _MATCHES)):
        score = round(99 + chance(database, one.gene.id, match), 1)
        for span in exons:
            yield _EST, span, score
    for allele in range(int(chance(database, one.gene.id, "alleles") * _ALLELES)):
        start = one.start + int(chance(one.gene.id, allele) * 2000)
        yield _ALLELE, _span(reference, start, start), _NULL
    yield _PCR, whole, _NULL


def _span(reference: str, start: int, stop: int) -> str:
    return f"{reference}\t{start}\t{stop}\t{_bin(start, stop)}"


def _bin(start: int, stop: int) -> str:
    """Bio::DB::GFF's bin: the smallest power of ten from 1000 on that holds both ends."""
    size = 1000
    while start // size != stop // size:
        size *= 10
    return f"{size}.{start // size:06}"


def _fgroup(facts: Iterable[Facts], database: str) -> Iterator[Row]:
    for group, one in enumerate(facts, start=1):
        prefix = "" if database == databases.ELEGANS else f"{database}:"
        yield group, "Gene", f"{prefix}{one.gene.id}"


def _genetic(facts: Iterable[Facts]) -> Iterator[Row]:
    for one in facts:
        yield one.gene.id, one.gene.real.public_name, one.chromosome, one.map_position


def _physical(facts: Iterable[Facts]) -> Iterator[Row]:
    for one in facts:
        share = one.start / CHROMOSOMES[one.chromosome]
        yield one.gene.id, one.gene.real.public_name, one.chromosome, round(share * 5000, 1)


def _alignments(facts: list[Facts]) -> Iterator[Row]:
    for one in facts[:: max(1, len(facts) // 300)]:
        names = [one.gene.id, *(name for _, name, _ in one.orthologs)]
        yield one.gene.id, "\\n".join(f"{name:<24}{one.gene.real.biotype}" for name in names)
