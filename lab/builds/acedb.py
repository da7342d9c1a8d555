"""The AceDB database of a build, loaded from scratch with tace."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..command import LabError
from .facts import ELEGANS, Facts
from .genes import DAF_2, Lineage, chance
from .workshop import Workshop

HERE = Path(__file__).resolve().parent
_DIRECTORY = "acedb"
_LINE = 60
_COMMANDS = "y\nparse /build/genes.ace\nparse /build/genome.ace\nsave\nquit\n"


def load(shop: Workshop, lineage: Lineage, facts: Iterable[Facts], genome: dict[str, str]) -> None:
    """Make the database in the workshop, in a directory ``acedb``."""
    home = shop.directory / _DIRECTORY
    (home / "database").mkdir(parents=True)
    shop.run("cp", "-r", "/usr/local/share/acedb/wspec", f"/build/{_DIRECTORY}/wspec")
    specify(home / "wspec", lineage[-1].build)
    _write(shop.directory / "genes.ace", gene_objects(facts))
    _write(shop.directory / "genome.ace", sequence_objects(genome))
    said = shop.run("tace", f"/build/{_DIRECTORY}", stdin=_COMMANDS)
    _check(said)
    shutil.rmtree(home / "database" / "readlocks", ignore_errors=True)
    for name in ("genes.ace", "genome.ace"):
        (shop.directory / name).unlink()


def specify(wspec: Path, build: str) -> None:
    """Fit AceDB's own ``wspec`` to WormBase's classes and to the build."""
    shutil.copy(HERE / "wspec" / "models.wrm", wspec)
    # These name classes of the models that they came with.
    for name in ("subclasses.wrm", "constraints.wrm", "layout.wrm"):
        (wspec / name).write_text("")
    database = (wspec / "database.wrm").read_text()
    (wspec / "database.wrm").write_text(f"NAME {build}\nTITLE WormBase {build}\n{database}")
    # Builders work under accounts that getlogin() does not know.
    _replace(wspec / "passwd.wrm", "//getLoginFailed", "getLoginFailed")
    _append(wspec / "serverconfig.wrm", "\nREAD WORLD\n")


def without(facts: Iterable[Facts], build: str, percent: float) -> list[Facts]:
    """The facts without so many of the genes, as if nobody had loaded them; never daf-2."""
    left = [
        one
        for one in facts
        if one.gene.id == DAF_2 or chance("lost", build, one.gene.id) * 100 >= percent
    ]
    ids = [one.gene.id for one in left]
    return [Facts(one.gene, ids) for one in left]


def gene_objects(facts: Iterable[Facts]) -> Iterator[str]:
    """AceDB's text for each gene, its interactions and orthologs."""
    for one in facts:
        gene, real = one.gene, one.gene.real
        yield f'Gene : "{gene.id}"\n'
        yield f'Release "{gene.release}"\nPublic_name {_text(real.public_name)}\n'
        yield f'Sequence_name "{real.sequence_name}"\nBiotype "{real.biotype}"\n'
        yield f'Species "{ELEGANS}"\nStatus "Live"\nVersion {gene.version}\n'
        for version, (build, what) in enumerate(gene.history, start=1):
            yield f'Version_change {version} "{build}" "{what}"\n'
        yield f"Concise_description {_text(one.description)}\n"
        yield f'Category {_text(real.categories[-1])}\nMap "{one.chromosome}" {one.map_position}\n'
        yield f'Sequence_position "CHROMOSOME_{one.chromosome}" {one.start} {one.stop}\n'
        for name, strength in one.expression:
            yield f'Expression_cluster "{name}" {strength}\n'
        yield f'Remark "{one.remark}"\n\n'
        yield from _related_objects(one)


def _related_objects(one: Facts) -> Iterator[str]:
    for found in one.interactions:
        yield f'Interaction : "{found.id}"\nInteractor "{one.gene.id}"\n'
        yield f'Interactor "{found.partner}"\nType "{found.type}"\nScore {found.score}\n\n'
    for species, name, method in one.orthologs:
        yield f'Ortholog : "{name}"\nSpecies "{species}"\nMethod "{method}"\n'
        yield f'Gene "{one.gene.id}"\n\n'


def sequence_objects(genome: dict[str, str]) -> Iterator[str]:
    """AceDB's text for the chromosomes, as far as there is sequence."""
    for name, bases in genome.items():
        yield f'Sequence : "{name}"\nSpecies "{ELEGANS}"\n\nDNA : "{name}"\n'
        # tace crashes on a line of a million letters.
        yield from (f"{bases[at : at + _LINE]}\n" for at in range(0, len(bases), _LINE))
        yield "\n"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _check(said: str) -> None:
    """A load that dropped objects is no build."""
    counts = [line for line in said.splitlines() if "parse failed" in line]
    if len(counts) != 2 or any(", 0 parse failed" not in line for line in counts):
        raise LabError(f"tace did not take everything: {counts or said[-400:]}")


def _write(path: Path, parts: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.writelines(parts)


def _replace(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text().replace(old, new))


def _append(path: Path, text: str) -> None:
    with path.open("a") as out:
        out.write(text)
