"""The real data that builds are made from, downloaded once."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..command import run
from ..debian import install
from ..place import CACHE, held

HERE = Path(__file__).resolve().parent
# A folder of its own: it is taken for complete when it is there.
DOWNLOADS = CACHE / "real-data"
_GENE_IDS = "wormneuroatlas/data/c_elegans.PRJNA13758.WS286.geneIDs.txt"
_DESCRIPTIONS = "whole_genome_v2_nov-11-2021.csv"
_GENOME = "./usr/share/htslib-test/test/ce.fa"
_UNKNOWN = "Unknown"
_FETCH = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download")


@dataclass(frozen=True)
class RealGene:
    """A gene as WormBase knows it; ``categories`` go from wide to narrow."""

    id: str
    public_name: str
    sequence_name: str
    biotype: str
    categories: tuple[str, ...]
    description: str


@dataclass(frozen=True)
class Sources:
    """Every live gene of WormBase, and the chromosomes (cut short) by name."""

    genes: tuple[RealGene, ...]
    genome: dict[str, str]


def sources() -> Sources:
    """The real data; what is not on this machine yet is downloaded."""
    with held(CACHE / "real-data.lock"):
        _download()
    wheel = zipfile.ZipFile(_only("wormneuroatlas-*.whl"))
    ids = wheel.read(_GENE_IDS).decode("utf-8").splitlines()
    return Sources(tuple(read_genes(ids, _descriptions())), read_fasta(_genome()))


def read_genes(lines: Iterable[str], described: Iterable[dict[str, str]]) -> Iterable[RealGene]:
    """Live genes of a geneIDs file, with the categories and descriptions of a wormcat file."""
    more = {row["Wormbase ID"]: row for row in described}
    for line in lines:
        _, gene, name, sequence_name, status, biotype = line.split(",")
        if status == "Live":
            row = more.get(gene, {})
            categories = [row.get(f"Category {level}") or _UNKNOWN for level in (1, 2, 3)]
            yield RealGene(
                gene,
                name or sequence_name or gene,
                sequence_name or gene,
                biotype,
                tuple(dict.fromkeys(categories)),
                row.get("Automated Description", "").replace("\\", "").strip(),
            )


def read_fasta(text: str) -> dict[str, str]:
    """Sequences by name."""
    found = {}
    for record in text.split(">")[1:]:
        name, _, lines = record.partition("\n")
        found[name.split()[0]] = lines.replace("\n", "").upper()
    return found


def _descriptions() -> Iterable[dict[str, str]]:
    with tarfile.open(_only("wormcat3-*.tar.gz")) as archive:
        member = next(m for m in archive if m.name.endswith(f"/{_DESCRIPTIONS}"))
        content = archive.extractfile(member).read()  # type: ignore[union-attr]
    return csv.DictReader(io.StringIO(content.decode("utf-8-sig")))


def _genome() -> str:
    package = _only("htslib-test_*.deb")
    content = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", package], check=True, capture_output=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return archive.extractfile(_GENOME).read().decode("ascii")  # type: ignore[union-attr]


def _only(pattern: str) -> Path:
    return next(DOWNLOADS.glob(pattern))


def _download() -> None:
    if DOWNLOADS.is_dir():
        return
    fresh = DOWNLOADS.with_suffix(".making")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    if shutil.which("pip") is None:
        install("python3-pip")
    pip = shutil.which("pip") or "pip"
    run(
        pip,
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--dest",
        fresh,
        "--requirement",
        HERE / "downloads.txt",
    )
    subprocess.run([*_FETCH, "htslib-test"], cwd=fresh, check=True)
    fresh.rename(DOWNLOADS)
