"""Figures of a build on the development server: what its databases hold, counted once."""

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from wbcore.build import counts, manifest
from wbcore.build.manifest import Contents, Found, Manifest, shown
from wbcore.build.tolerances import BYTES, CLASSES, FILES, KINDS, LETTERS, ROWS, SEQUENCES, Figures
from wbcore.datasets import ACEDB, MYSQL, SUPPORT, Dataset
from wbcore.errors import BadData
from wbcore.layout import Layout
from wbcore.names import Build

import wbnode.files
import wbnode.minion

_SECONDS = 900
# What tace itself writes; were one of these a link, it would write into the build.
_LOGS = ("log.wrm", "serverlog.wrm")
# The index of a BLAST database, and the sequences that lie beside it.
_BLAST = {".nin": ".nsq", ".pin": ".psq"}
_VOLUME = re.compile(r"\.[0-9]{2,}$")
_MEND = "load it anew"

T = TypeVar("T")


def kept(layout: Layout, sealed: Manifest) -> Figures:
    """The figures that were kept of a build as it was sealed; none if there are not any."""
    try:
        told = json.loads(layout.figures(_build(sealed)).read_bytes())
        figures: Figures = told["figures"]
        return figures if told["manifest"] == _digest(sealed) else {}
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return {}


def keep(layout: Layout, sealed: Manifest, figures: Figures) -> None:
    """Keep figures beside the manifest, for the next build and for the announcement."""
    told = {"manifest": _digest(sealed), "figures": figures}
    wbnode.files.write_whole(layout.figures(_build(sealed)), json.dumps(told).encode())


def measured(
    layout: Layout,
    build: Build,
    databases: Mapping[str, str],
    datasets: Mapping[Dataset, Contents | Found],
    tace: str,
) -> Figures:
    """Count what is in a build; BadData and StepFailed name what can not be counted.

    tace
        The path of AceDB's program.
    """
    figures = {kind: Counter[str]() for kind in KINDS}
    for database, directory in databases.items():
        dataset = Dataset(MYSQL, directory)
        figures[ROWS].update(dict(_rows(layout, database, dataset, datasets[dataset].files)))
    for dataset, what in datasets.items():
        if dataset.kind == ACEDB:
            figures[CLASSES].update(_classes(tace, layout.dataset(dataset), what.files))
        elif dataset.kind == SUPPORT:
            figures[FILES][f"{SUPPORT}/{dataset.folder}"] = len(what.files)
            figures[BYTES][f"{SUPPORT}/{dataset.folder}"] = what.bytes
            for database, sequences, letters in _blast(layout, dataset, what.files):
                figures[SEQUENCES][database] += sequences
                figures[LETTERS][database] += letters
    return {kind: _nameless(build, named) for kind, named in figures.items()}


def _build(sealed: Manifest) -> Build:
    return sealed.name if isinstance(sealed.name, Build) else sealed.name.build


def _digest(sealed: Manifest) -> str:
    return manifest.digest_of(sealed.to_bytes())


def _nameless(build: Build, named: Mapping[str, int]) -> dict[str, int]:
    """What holds the build in its name is the same thing in every build."""
    return {name.replace(str(build), "WS*"): number for name, number in named.items()}


def _rows(
    layout: Layout, database: str, dataset: Dataset, files: Collection[str]
) -> Iterator[tuple[str, int]]:
    for path in files:
        if path.endswith(".MYI"):
            rows = _read(layout, dataset, path, counts.MYISAM_HEAD, counts.rows)
            yield f"{database}/{path.removesuffix('.MYI')}", rows


def _blast(
    layout: Layout, dataset: Dataset, files: Collection[str]
) -> Iterator[tuple[str, int, int]]:
    """Name, sequences and letters of each volume of the BLAST databases in a folder."""
    for path in files:
        stem, suffix = os.path.splitext(path)
        if suffix in _BLAST and stem + _BLAST[suffix] in files:
            volume = _read(layout, dataset, path, counts.BLAST_HEAD, counts.sequences)
            yield (f"{dataset.folder}/{_VOLUME.sub('', stem)}", *volume)


def _read(layout: Layout, dataset: Dataset, path: str, size: int, parse: Callable[[bytes], T]) -> T:
    try:
        with (layout.dataset(dataset) / path).open("rb") as stream:
            return parse(stream.read(size))
    except (OSError, ValueError) as error:
        raise BadData(f"{dataset}/{shown(path)} can not be counted: {error}", _MEND) from error


def _classes(tace: str, root: Path, files: Collection[str]) -> Mapping[str, int]:
    """Ask tace, in a directory of links to the database's files.

    It opens those for reading alone, but writes its log and a read lock beside them, which
    would change what was sealed.
    """
    with tempfile.TemporaryDirectory(prefix="wormbase-") as name:
        beside = Path(name)
        (beside / "database").mkdir()
        (beside / "wspec").symlink_to(root / "wspec")
        for path in files:
            folder, _, file = path.rpartition("/")
            if folder == "database" and file not in _LOGS:
                (beside / path).symlink_to(root / path)
        said = wbnode.minion.command(
            [tace, beside],
            f"try it on {root}, and {_MEND}",
            input="classes\nquit\n",
            errors="replace",
            timeout=_SECONDS,
        )
    try:
        return counts.classes(said)
    except ValueError as error:
        raise BadData(f"{root.name} can not be counted: {error}", _MEND) from error
