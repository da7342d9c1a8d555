"""What a push costs the master, with more and more nodes, all real and on this machine.

    bench/scale [--rounds N] [SIZE …]

A Salt master and the minions of each size (8, 16, 32 and 64 nodes without arguments, the
development server and the proxy among them) run below a folder in /tmp, with real carriers and
a build of a few kilobytes. All other nodes have the role ``support``, which needs no server:
half of them stand at a second site. Each size pushes builds with ``orch.push`` and gives the
same command again. Of the rounds the smallest figure is taken, to which others on this
machine have added least.

Exit code 1 when the number of steps is not the same for every size, or when CPU seconds (of
the master and of salt-run) or events grow more than linearly. Sizes that fit neither the
memory nor 20 minutes are left out and named. The result is kept in bench/results/scale.json.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from typing import Any

import psutil
from wbcore.datasets import ACEDB, SUPPORT

from . import growth, starting
from .meter import measured
from .village import STAGING, Village, standing

SIZES, ROUNDS = (8, 16, 32, 64), 2
LIMIT_SECONDS = 20 * 60
# A minion, a job of it and the carrier that serves it.
NODE_BYTES = 120_000_000
FIRST_BUILD, FOLDERS, FILES, FILE_BYTES = 220, ("gene", "ontology"), 4, 2_000


def main() -> int:
    """Measure all sizes, keep and print the result; the exit code."""
    parser = starting.parser("bench/scale", __doc__)
    parser.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="SIZE",
                        help="numbers of nodes (8 16 32 64)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N",
                        help="pushes a size (%(default)s)")  # fmt: skip
    return starting.start(parser, lambda chosen: told(run(sorted(chosen.sizes), chosen.rounds)))


def run(sizes: Sequence[int], rounds: int) -> dict[str, Any]:
    """A row for each size, and the sizes that did not fit."""
    rows: list[dict[str, Any]] = []
    began = time.monotonic()
    with standing() as village:
        for number, size in enumerate(sizes):
            if why := _left_out(size, len(village.nodes), time.monotonic() - began):
                return {"rows": rows, "left_out": {str(one): why for one in sizes[number:]}}
            rows.append(_row(village, size, rounds))
            print(growth.table(rows).splitlines()[-1], flush=True)
    return {"rows": rows, "left_out": {}}


def _left_out(size: int, nodes: int, elapsed: float) -> str:
    """Why a size can not be measured after one with so many nodes, or nothing."""
    if (size - nodes) * NODE_BYTES > psutil.virtual_memory().available:
        return "memory"
    # Nearly all of the time so far went into the nodes there are.
    if nodes and elapsed * size / nodes > LIMIT_SECONDS:
        return "time"
    return ""


def _row(village: Village, size: int, rounds: int) -> dict[str, Any]:
    """Push builds to so many nodes, each build after the one before."""
    print(f"=== {size} nodes", flush=True)
    began = time.monotonic()
    village.grow(size)
    village.clean()
    ready = round(time.monotonic() - began, 1)
    # The first push is to nodes that hold nothing, and has them load their modules.
    _push(village, FIRST_BUILD, stage=True)
    pushes, again = [], []
    for number in range(FIRST_BUILD + 1, FIRST_BUILD + 1 + rounds):
        pushes.append(_push(village, number, stage=True) | {"steps": _steps(village)})
        again.append(_push(village, number))
    return {
        "nodes": size, "ready_seconds": ready, "push": _least(pushes), "again": _least(again),
        "rounds": {"push": pushes, "again": again},
    }  # fmt: skip


def _push(village: Village, number: int, stage: bool = False) -> dict[str, Any]:
    build = f"WS{number}"
    if stage:
        _stage(village, build)
    words = ("state.orch", "orch.push", f"pillar={{build: {build}}}")
    return measured(village, lambda: village.run(*words))


def _steps(village: Village) -> int:
    """How many steps the newest run took."""
    return len(village.run("wb_release.history", "limit=1")[0]["steps"])


def _stage(village: Village, build: str) -> None:
    """Do what the builders do, with little: a few files of each database."""
    content = random.Random(build).randbytes
    layout = village.nodes[STAGING]
    support = layout.kind(SUPPORT) / build
    # A build has an AceDB database; no node here takes it.
    acedb = layout.kind(ACEDB) / f"wormbase_{build}" / "database"
    for folder in (acedb, *(support / name for name in FOLDERS)):
        folder.mkdir(parents=True)
        for name in range(FILES):
            (folder / f"{name}.{build}.txt").write_bytes(content(FILE_BYTES))


def _least(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The smallest of each figure; what is told beside them is that of the last round."""
    plain = {
        name: min(one[name] for one in rounds)
        for name, value in rounds[-1].items()
        if isinstance(value, int | float)
    }
    return {**rounds[-1], **plain}


def told(result: dict[str, Any]) -> int:
    """Keep and print the result; the exit code."""
    rows = result["rows"]
    growth.RESULT.parent.mkdir(exist_ok=True)
    growth.RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(growth.table(rows))
    for size, why in result["left_out"].items():
        print(f"{size} nodes were left out: {why}")
    print(growth.idle_line(rows))
    found = growth.faults(rows)
    print("\n".join(found) or "steps constant; CPU seconds and events at most linear in the nodes")
    return int(bool(found))
