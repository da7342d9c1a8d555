"""What memory it takes to patch large files, on wb-dev and on a node.

    bench/large [GB …]

A Salt master, wb-dev and one node with support databases, all real, below a folder in /tmp
(42 GB of it for the 2.5 and 6 GB that are taken without arguments). Two builds hold one file of
each size: tables of two rebuilt builds of real data, again and again, each time with other
bytes, so that nothing of a file serves another place of it. The first build is pushed whole,
the second by patches.

Exit code 1 when the processes of either side together take a GiB or more, when the patched
files are not those of wb-dev, or when they did not travel as patches.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from wbcore.datasets import ACEDB, SUPPORT

from lab.builds.genes import Step
from lab.builds.making import make
from lab.command import LabError
from lab.place import CHECKOUT

from . import starting
from .meter import measured, memory_of
from .village import STAGING, Village, standing

RESULT = CHECKOUT / "bench/results/large.json"
GIGABYTES, FIRST, SECOND = (2.5, 6.0), 220, 221
NODE, NODES = "node003", 3
LIMIT_BYTES = 2**30
# A patch of such tables is some percent of them; whole and compressed they are 20 and more.
PATCHED = 0.1
TABLES = "mysql/c_elegans_WS{}/f*.MYD"


def main() -> int:
    """Measure, keep and print; the exit code."""
    parser = starting.parser("bench/large", __doc__)
    parser.add_argument("sizes", type=float, nargs="*", default=GIGABYTES, metavar="GB",
                        help="sizes of the files (2.5 6)")  # fmt: skip
    return starting.start(parser, _measure)


def _measure(options: argparse.Namespace) -> int:
    with standing() as village:
        return told(run(village, options.sizes))


def run(village: Village, sizes: Sequence[float]) -> dict[str, Any]:
    """Push both builds; what the second took."""
    village.grow(NODES)
    lineage = (Step(FIRST, 1), Step(SECOND, 1))
    for number in (1, 2):
        real = make(lineage[:number], 1)
        print(f"=== {lineage[number - 1].build} with files of {_words(sizes)} GB", flush=True)
        _stage(village, lineage[number - 1].build, real, sizes)
        pillar = f"pillar={{build: {lineage[number - 1].build}}}"
        with memory_of(village, STAGING) as source, memory_of(village, NODE) as target:
            found = measured(
                village, lambda told=pillar: village.run("state.orch", "orch.push", told)
            )  # type: ignore[misc]
    newest = village.run("wb_release.history", "limit=1")[0]
    received = newest["steps"]["push_support"]["received"]
    return {
        "sizes": list(sizes), "seconds": found["seconds"], "received": received,
        "steps": {name: step["seconds"] for name, step in newest["steps"].items()},
        "pss": {STAGING: source["pss"], NODE: target["pss"]},
        "wrong": differing(village, lineage[1].build),
    }  # fmt: skip


def _words(sizes: Sequence[float]) -> str:
    return " and ".join(f"{size:g}" for size in sizes)


def _stage(village: Village, build: str, real: Path, sizes: Sequence[float]) -> None:
    layout = village.nodes[STAGING]
    # A build has an AceDB database; no node here takes it.
    acedb = layout.kind(ACEDB) / f"wormbase_{build}" / "database"
    folder = layout.kind(SUPPORT) / build / "large"
    for place in (acedb, folder):
        place.mkdir(parents=True)
    (acedb / "block1.wrm").write_bytes(b"no node takes it")
    tables = sorted(real.glob(TABLES.format(build.removeprefix("WS"))))
    for size in sizes:
        _write(folder / f"tables-{size:g}.MYD", tables, int(size * 1e9))


def _write(path: Path, tables: Sequence[Path], size: int) -> None:
    """The tables with every byte moved on by one each time, up to a size."""
    with path.open("wb") as large:
        for shift in range(256):
            moved = bytes((byte + shift) % 256 for byte in range(256))
            for table in tables:
                large.write(table.read_bytes().translate(moved)[: size - large.tell()])
                if large.tell() == size:
                    return
    raise LabError(f"{size / 1e9:g} GB are more than 256 times the tables")


def differing(village: Village, build: str) -> list[str]:
    """Files of the node that are not byte for byte those of wb-dev."""
    there, here = (_sums(village, node, build) for node in (STAGING, NODE))
    return sorted(path for path in there.keys() | here.keys() if there.get(path) != here.get(path))


def _sums(village: Village, node: str, build: str) -> dict[str, str]:
    folder = village.nodes[node].kind(SUPPORT) / build
    return {str(path.relative_to(folder)): _sum(path) for path in _files(folder)}


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def told(result: dict[str, Any]) -> int:
    """Keep and print the result; the exit code."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(", ".join(f"{name} {seconds} s" for name, seconds in result["steps"].items()))
    found = [f"{path} is not as on {STAGING}" for path in result["wrong"]]
    if result["received"] > PATCHED * sum(result["sizes"]) * 1e9:
        found.append("the files did not travel as patches")
    found += [
        f"{node} took more than a GiB" for node, pss in result["pss"].items() if pss >= LIMIT_BYTES
    ]
    memory = ", ".join(f"{node} {pss / 2**20:.0f} MiB" for node, pss in result["pss"].items())
    print("; ".join(found) or "patched in less than a GiB on either side")
    print(f"files of {_words(result['sizes'])} GB: {result['received'] / 1e6:,.1f} MB received; "
          f"most memory of all processes: {memory}")  # fmt: skip
    return int(bool(found))
