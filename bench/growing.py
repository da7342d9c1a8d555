"""How bytes and seconds of a push grow with the size of a release, and with the nodes.

    bench/grow [--wan MB/S]

On labs of its own with four local and four remote nodes, a new one for each size, so that every
database has a base of that size: ``orch.push`` of a rebuilt build to 2, 4 and 8 of the nodes, the
others cut off; then to all 8 at 4 and 8 times the size. Before each push the build before it
is live on every node. Every file on the nodes that took part is compared with wb-dev.

Exit code 1 when bytes or seconds grow more than linearly with the size, when a further remote
node adds more than 2 % to the trip over the WAN, or when a file is not as on wb-dev. The
result is kept in bench/results/grow.json, and bench/picture draws it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lab.cluster import Cluster
from lab.command import LabError
from lab.place import CHECKOUT

from . import check, rig, starting, ways
from .copies import ROOT
from .linear import bends
from .report import ADDED_LIMIT

RESULT = CHECKOUT / "bench/results/grow.json"
# Half of each number stand at the remote site.
NODES = ("wb-web1", "canopus", "wb-web2", "canopus2", "wb-mining", "wb-gb1", "canopus3", "canopus4")
COUNTS, SIZES = (2, 4, 8), (1.0, 4.0, 8.0)
SIBLINGS = {**rig.SIBLINGS, "canopus4": "canopus"}
WAN_MEGABYTES = 5.0

Row = Mapping[str, Any]


def main() -> int:
    """Measure, keep and print; the exit code."""
    parser = starting.parser("bench/grow", __doc__)
    parser.add_argument("--wan", type=float, default=WAN_MEGABYTES, metavar="MB/S",
                        help="what the link between the sites carries (%(default)s)")  # fmt: skip
    return starting.start(parser, lambda chosen: told(run(chosen.wan)))


def run(wan: float) -> dict[str, Any]:
    """A row for each number of nodes at the smallest size, and for each size with all nodes."""
    if Cluster().place.record.exists():
        raise LabError("this checkout has a lab, and labs of other sizes are needed; bin/lab down")
    with rig.standing(SIZES[0], SIBLINGS) as lab:
        nodes = [_pushed(lab, NODES[:count], SIZES[0], wan) for count in COUNTS]
    sizes = [nodes[-1]]
    for size in SIZES[1:]:
        with rig.standing(size, SIBLINGS) as lab:
            sizes.append(_pushed(lab, NODES, size, wan))
    return {"wan_megabytes": wan, "nodes": nodes, "sizes": sizes}


def _pushed(lab: Cluster, nodes: Sequence[str], scale: float, wan: float) -> dict[str, Any]:
    pair = rig.pair(lab, scale)
    files, size = rig.release_size(lab, pair)
    lab.network.limit(wan)
    with _only(lab, nodes):
        found = ways.ours(lab, pair)
    wrong = check.wrong(lab, pair, ROOT, nodes)
    lab.network.limit(rig.FREE_MEGABYTES)
    row = {"nodes": len(nodes), "files": files, "bytes": size, "wrong": wrong,
           **{key: found[key] for key in ("wan", "seconds", "before")}}  # fmt: skip
    print(_line(row), flush=True)
    return row


@contextmanager
def _only(lab: Cluster, nodes: Sequence[str]) -> Iterator[None]:
    """Cut off every other node that holds databases."""
    others = [name for name in NODES if name not in nodes]
    for name in others:
        lab.network.cut(name)
    try:
        yield
    finally:
        for name in others:
            lab.network.heal(name)
        lab.wait_minions(others)


def told(result: dict[str, Any]) -> int:
    """Keep and print the result; the exit code."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(_HEAD, *map(_line, [*result["nodes"], *result["sizes"][1:]]), sep="\n")
    found = list(faults(result["nodes"], result["sizes"]))
    print("; ".join(found) or "at most linear in the size, and the WAN flat in the nodes")
    return int(bool(found))


_HEAD = f"{'nodes':>5}{'MB':>8}{'files':>8}{'WAN bytes':>13}{'seconds':>9}{'seal':>7}{'parcels':>9}"


def _line(row: Row) -> str:
    before = row["before"]
    return (f"{row['nodes']:5}{row['bytes'] / 1e6:8.1f}{row['files']:8,}{row['wan']:13,}"
            f"{row['seconds']:9.1f}{before['seal']:7.1f}{before['make_parcels']:9.1f}")  # fmt: skip


def faults(nodes: Sequence[Row], sizes: Sequence[Row]) -> Iterator[str]:
    """What is not as it has to be: the rows by number of nodes, and those by size."""
    for name in ("wan", "seconds"):
        yield from bends(name, [(row["bytes"] / 1e6, row[name]) for row in sizes], "megabyte")
    yield from bends("seconds", [(row["nodes"], row["seconds"]) for row in nodes])
    few, many = nodes[0], nodes[-1]
    added = (many["wan"] / few["wan"] - 1) / ((many["nodes"] - few["nodes"]) / 2)
    if added > ADDED_LIMIT:
        yield f"a further remote node adds {added:.3f} of the trip, allowed are {ADDED_LIMIT}"
    for row in [*nodes, *sizes[1:]]:
        if row["wrong"]:
            yield f"not byte for byte as on wb-dev: {', '.join(row['wrong'])}"
