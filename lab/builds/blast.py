"""What is searched by sequence: BLAST databases, and the genome in BLAT's own format."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from .facts import Facts
from .genes import Lineage, chance
from .workshop import Workshop

_CODES = bytes.maketrans(b"TCAGN", b"\0\1\2\3\0")
_SIGNATURE = 0x1A412743
_LINE = 60


def write(shop: Workshop, support: Path, facts: Iterable[Facts], genome: dict[str, str]) -> None:
    """Fill ``blast/`` and ``blat/`` below a directory of the workshop."""
    (support / "blat").mkdir(parents=True)
    (support / "blat" / "c_elegans.genome.2bit").write_bytes(two_bit(genome))
    place = support / "blast" / "c_elegans"
    place.mkdir(parents=True)
    _database(shop, place, "genome", genome)
    _database(shop, place, "transcripts", transcripts(facts, genome))


def corrected(genome: dict[str, str], lineage: Lineage) -> dict[str, str]:
    """The sequence with the few corrections that each build made to it."""
    found = {}
    for name, bases in genome.items():
        letters = bytearray(bases, "ascii")
        for step in lineage[1:]:
            at = int(chance("correction", step.number, step.seed, name) * len(letters))
            letters[at] = b"ACGT"[b"CGTA".find(letters[at])]
        found[name] = letters.decode("ascii")
    return found


def transcripts(facts: Iterable[Facts], genome: dict[str, str]) -> dict[str, str]:
    """A transcript for each gene, cut from the longest sequence that there is."""
    longest = max(genome.values(), key=len)
    found = {}
    for one in facts:
        length = sum(stop - start + 1 for start, stop in one.exons[:3])
        at = int(chance("transcript", one.gene.id) * (len(longest) - length))
        found[one.gene.id] = longest[at : at + length]
    return found


def two_bit(genome: dict[str, str]) -> bytes:
    """Sequences in the ``.2bit`` format: an index, then four bases a byte."""
    header = struct.pack("<IIII", _SIGNATURE, 0, len(genome), 0)
    at = len(header) + sum(1 + len(name) + 4 for name in genome)
    index, records = b"", b""
    for name, bases in genome.items():
        index += struct.pack("<B", len(name)) + name.encode() + struct.pack("<I", at)
        record = struct.pack("<IIII", len(bases), 0, 0, 0) + _packed(bases)
        records += record
        at += len(record)
    return header + index + records


def _packed(bases: str) -> bytes:
    codes = (bases.encode("ascii") + b"TTT").translate(_CODES)
    quarter = (len(codes) // 4) * 4
    four = (codes[place:quarter:4] for place in range(4))
    return bytes(a << 6 | b << 4 | c << 2 | d for a, b, c, d in zip(*four, strict=True))


def _database(shop: Workshop, place: Path, name: str, sequences: dict[str, str]) -> None:
    fasta = place / f"{name}.fa"
    fasta.write_text("".join(_fasta(key, bases) for key, bases in sequences.items()))
    inside = Path("/build") / place.relative_to(shop.directory)
    shop.run(
        "makeblastdb",
        "-dbtype",
        "nucl",
        "-parse_seqids",
        "-in",
        f"{inside}/{name}.fa",
        "-title",
        name,
        "-out",
        f"{inside}/{name}",
        "-logfile",
        "/dev/null",
    )
    fasta.unlink()


def _fasta(name: str, bases: str) -> str:
    lines = [bases[at : at + _LINE] for at in range(0, len(bases), _LINE)]
    return "\n".join([f">{name}", *lines, ""])
