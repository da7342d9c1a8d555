"""What small files cost: sealed and made into parcels on wb-dev, applied on a node.

    bench/small [FILES …]

A Salt master, wb-dev and one node with support databases, all real, below a folder in /tmp
(about 4 kB and 4 inodes of it a file). For each number of files (50,000 and 200,000 without
arguments) two builds hold so many files of 300 bytes; of the second each twentieth differs, a
hundredth is gone and a hundredth is new. The first build is pushed whole. Of the second each
stage is measured: seconds, and the most memory that the processes of its machine took together.

Exit code 1 when seconds or memory of a stage grow by more than the number of files does and a
quarter, or when the node does not hold what wb-dev has. The result is kept in
bench/results/small.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from wbcore.datasets import ACEDB, SUPPORT
from wbcore.layout import Layout

from lab.command import LabError
from lab.place import CHECKOUT

from . import starting
from .enlarging import NODE, NODES, differing
from .meter import memory_of
from .village import STAGING, Village, standing

RESULT = CHECKOUT / "bench/results/small.json"
COUNTS, FIRST, SECOND, FOLDER = (50_000, 200_000), "WS220", "WS221", "gene"
FILE_BYTES, FILES_A_FOLDER = 300, 1_000
# Every so many files one differs; of every so many one is gone, and one is new.
CHANGED, MOVED = 20, 100
STAGES, FACTS = ("seal", "make_parcels", "apply"), ("seconds", "bytes")
# Of one run on a machine that others use, too.
SLACK = 1.25

Row = dict[str, Any]


def main() -> int:
    """Measure, keep and print; the exit code."""
    parser = starting.parser("bench/small", __doc__)
    parser.add_argument("counts", type=int, nargs="*", default=COUNTS, metavar="FILES",
                        help="numbers of files (50000 200000)")  # fmt: skip
    return starting.start(parser, _measure)


def _measure(options: argparse.Namespace) -> int:
    with standing() as village:
        village.grow(NODES)
        return told([_row(village, count) for count in sorted(options.counts)])


def _row(village: Village, count: int) -> Row:
    """What each stage took with so many files."""
    print(f"=== {count:,} files of {FILE_BYTES} bytes", flush=True)
    village.clean()
    _stage(village.nodes[STAGING], FIRST, range(count))
    _push(village, FIRST)
    moved = count // MOVED
    _stage(village.nodes[STAGING], SECOND, range(moved, count + moved))
    row: Row = {"files": count, "load": os.getloadavg()[0]}
    base, dataset = (f"{SUPPORT}/{build}/{FOLDER}" for build in (FIRST, SECOND))
    before = _asked(village, "wb_build.seal", FIRST)["datasets"][base]["digest"]
    wanted = [{"dataset": dataset, "base": base, "digest": before}]
    works: Mapping[str, tuple[str, Callable[[], Any]]] = {
        "seal": (STAGING, lambda: _asked(village, "wb_build.seal", SECOND)),
        "make_parcels": (STAGING, lambda: _asked(village, "wb_parcel.make", SECOND, wanted)),
        "apply": (NODE, lambda: _push(village, SECOND)),
    }
    for stage in STAGES:
        row[stage] = _taken(village, *works[stage])
        print(_line(stage, row[stage]), flush=True)
    newest = village.run("wb_release.history", "limit=1")[0]["steps"]["push_support"]
    row["apply"]["seconds"], row["received"] = newest["seconds"], newest["received"]
    row["wrong"] = differing(village, SECOND)
    return row


def _taken(village: Village, node: str, work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of a piece of work, and the most memory of the node meanwhile, in bytes."""
    with memory_of(village, node) as peak:
        began = time.monotonic()
        work()
        seconds = time.monotonic() - began
    return {"seconds": round(seconds, 1), "bytes": peak["pss"]}


def _push(village: Village, build: str) -> None:
    village.run("state.orch", "orch.push", f"pillar={{build: {build}}}")


def _asked(village: Village, function: str, *arguments: Any) -> Any:
    """What wb-dev returns; LabError for what it says instead."""
    answer = village.ask([STAGING], function, *arguments)[STAGING]
    if not isinstance(answer, dict):
        raise LabError(f"{function} failed: {answer}")
    return answer


def _stage(layout: Layout, build: str, numbers: Sequence[int]) -> None:
    # A build has an AceDB database; no node here takes it.
    acedb = layout.kind(ACEDB) / f"wormbase_{build}" / "database"
    acedb.mkdir(parents=True)
    (acedb / "block1.wrm").write_bytes(b"no node takes it")
    home = layout.kind(SUPPORT) / build / FOLDER
    for number in numbers:
        folder = home / f"{number // FILES_A_FOLDER:04}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{_gene(number)}.txt").write_text(_text(number, build))


def _text(number: int, build: str) -> str:
    """A gene's name, and what no other file holds."""
    seed = f"{number} {'' if number % CHANGED else build}".encode()
    length = (FILE_BYTES - len(_gene(number))) // 2
    return _gene(number) + hashlib.shake_128(seed).hexdigest(length)


def _gene(number: int) -> str:
    return f"WBGene{number:08}"


def growing(rows: Sequence[Row]) -> Iterator[str]:
    """What grows by more than the number of files does, in words."""
    for small, large in pairwise(rows):
        more = large["files"] / small["files"]
        for stage in STAGES:
            for fact in FACTS:
                times = _times(small, large, stage, fact)
                if times > more * SLACK:
                    yield f"{stage}: {more:g} times the files took {times:.2f} times the {fact}"


def _times(small: Row, large: Row, stage: str, fact: str) -> float:
    return float(large[stage][fact] / small[stage][fact])


def told(rows: Sequence[Row]) -> int:
    """Keep and print the result; the exit code."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=2) + "\n")
    for row in rows:
        print(f"{row['files']:,} files, {row['received'] / 1e6:.1f} MB received, "
              f"load {row['load']:.1f} at the start")  # fmt: skip
        print("\n".join(_line(stage, row[stage]) for stage in STAGES))
    for small, large in pairwise(rows):
        for stage in STAGES:
            seconds, memory = (_times(small, large, stage, fact) for fact in FACTS)
            print(f"{large['files'] / small['files']:g} times the files: {stage} takes "
                  f"{seconds:.2f} times the seconds, {memory:.2f} times the memory")  # fmt: skip
    found = [f"{path} is not as on {STAGING}" for row in rows for path in row["wrong"][:5]]
    found += growing(rows)
    print("\n".join(found) or "linear, and the same byte for byte")
    return int(bool(found))


def _line(stage: str, facts: Mapping[str, float]) -> str:
    return f"  {stage}: {facts['seconds']:.1f} s, {facts['bytes'] / 2**20:.0f} MiB"
