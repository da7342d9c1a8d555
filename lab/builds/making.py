"""Making a whole build, once for all labs of this machine."""

from __future__ import annotations

import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import base
from ..layers import digest, made
from . import acedb, blast, letter, mysql, support
from .facts import facts_of
from .genes import Lineage, genes_of
from .sources import sources
from .workshop import Workshop

HERE = Path(__file__).resolve().parent
ACEDB, MYSQL, SUPPORT, NOTES = "acedb", "mysql", "support", "notes"
RECIPE = "recipe.json"
_KEPT_SECONDS = 3 * 86_400


def make(lineage: Lineage, scale: float, lost: float = 0) -> Path:
    """The directory of a made build: ``acedb``, ``mysql/*``, ``support/*`` and ``notes``.

    It is named after all that it follows from, and made only when it is not there. AceDB
    lacks ``lost`` percent of the genes.
    """
    name = f"builds/{lineage[-1].build}-{digest([HERE], recipe(lineage, scale, lost))}"
    place = made(name, lambda directory: _fill(directory, lineage, scale, lost))
    os.utime(place)
    _forget(place.parent)
    return place


def recipe(lineage: Lineage, scale: float, lost: float = 0) -> str:
    """What a build follows from, as text that tells two builds apart."""
    steps = [[step.number, step.seed] for step in lineage]
    return json.dumps({"lineage": steps, "scale": scale, "lost": lost})


def _forget(cache: Path) -> None:
    """Remove builds that nobody has asked for in a while."""
    for place in cache.glob("WS*"):
        if place.is_dir() and time.time() - place.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(place, ignore_errors=True)


def _fill(directory: Path, lineage: Lineage, scale: float, lost: float) -> None:
    real = sources()
    genes = genes_of(real.genes, lineage, scale)
    facts = facts_of(genes)
    shop = Workshop(directory, base.layers())
    # The server of MariaDB and the rest work as accounts that only the base knows.
    directory.chmod(0o755)
    with ThreadPoolExecutor() as pool:
        genome = blast.corrected(real.genome, lineage)
        loaded = acedb.without(facts, lineage[-1].build, lost)
        loading = pool.submit(acedb.load, shop, lineage, loaded, genome)
        mysql.load(shop, lineage, facts)
        blast.write(shop, directory / SUPPORT, facts, genome)
        support.write(directory / SUPPORT, lineage, facts)
        loading.result()
    before = genes_of(real.genes, lineage[:-1], scale) if len(lineage) > 1 else []
    _note(directory / NOTES, lineage, letter.letter(lineage, before, genes))
    (directory / NOTES / RECIPE).write_text(recipe(lineage, scale, lost) + "\n")


def _note(notes: Path, lineage: Lineage, text: str) -> None:
    notes.mkdir()
    (notes / f"letter.{lineage[-1].build}").write_text(text)
