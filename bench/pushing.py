"""Bytes and seconds of a push: three ways beside one another on the same links, in one run.

    bench/push [--scale N] [--wan MB/S]

A lab with three remote nodes is used if the checkout has one, or made (and taken down again).
A build of at least 350 MB is live there; the next one goes to all nodes by (i) the old scripts
(``rsync -Cav`` over ssh, one node after another, no basis), (ii) rsync with the live release as
basis, zstd and ``-yy``, all nodes at once and one trip to a site, (iii) ``orch.push``. The first
two write to a scratch directory. Bytes are counted at the interface between the sites, both
ways; every file on every node is compared with wb-dev. Sealing, and the making of parcels, are
told apart from the seconds of (iii).

Exit code 1 when a required ratio (the last line has them all) is missed or a file is not as on
wb-dev. The result is kept in bench/results/push.json, and bench/picture draws it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

from lab.cluster import Cluster

from . import check, report, rig, starting, ways
from .copies import ROOT, SCRATCH, Pair
from .report import BASED, OLD, OURS, RESULT

# One release at scale 1 is 88 to 100 MB, at 4 some 375.
SCALE, LEAST_BYTES = 4.0, 350_000_000
WAN_MEGABYTES = 5.0
Way = Callable[[Cluster, Pair], None]


def main() -> int:
    """Measure the ways and print the ratios; the exit code."""
    parser = starting.parser("bench/push", __doc__)
    parser.add_argument("--scale", type=float, default=SCALE, metavar="N",
                        help="size of the builds (%(default)s)")  # fmt: skip
    parser.add_argument("--wan", type=float, default=WAN_MEGABYTES, metavar="MB/S",
                        help="what the link between the sites carries (%(default)s)")  # fmt: skip
    return starting.start(parser, lambda chosen: run(chosen.scale, chosen.wan))


def run(scale: float, wan: float) -> int:
    """Measure, keep and print; the exit code."""
    trial = Trial()
    with ExitStack() as stack:
        with trial.phase("a lab with three remote nodes"):
            lab = stack.enter_context(rig.standing(scale))
        with trial.phase("a live build and the next one"):
            pair = rig.pair(lab, scale)
        files, size = rig.release_size(lab, pair)
        lab.network.limit(wan)
        trial.beside(lab, pair, OLD, ways.old_scripts)
        trial.beside(lab, pair, BASED, ways.rsync_with_basis)
        trial.ours(lab, pair)
        return told({
            "build": pair.second, "basis": pair.first, "files": files, "bytes": size,
            "scale": scale, "wan_megabytes": wan,
            "ratios": report.ratios(trial.ways), **asdict(trial),
        })  # fmt: skip


@dataclass
class Trial:
    """One run: what each way came to, nodes that were wrong then, seconds of each phase."""

    ways: dict[str, dict[str, Any]] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)
    phases: dict[str, float] = field(default_factory=dict)

    def beside(self, lab: Cluster, pair: Pair, name: str, way: Way) -> None:
        """Measure and check a way that writes to scratch directories, which go again."""
        with ways.doors(lab, pair):
            with self.phase(name):
                self.ways[name] = rig.measured(lab, lambda: way(lab, pair))
            with self.phase(f"{name}, compared"):
                self.wrong[name] = check.wrong(lab, pair, SCRATCH)

    def ours(self, lab: Cluster, pair: Pair) -> None:
        """Measure and check the project's own way."""
        with self.phase(OURS):
            self.ways[OURS] = ways.ours(lab, pair)
        with self.phase(f"{OURS}, compared"):
            self.wrong[OURS] = check.wrong(lab, pair, ROOT)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Tell what is done, and how long it took."""
        print(f"=== {name}", flush=True)
        began = time.monotonic()
        yield
        self.phases[name] = round(time.monotonic() - began, 1)
        print(f"    {self.phases[name]} s", flush=True)


def told(result: dict[str, Any]) -> int:
    """Keep and print the result; the exit code."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(report.table(result))
    small = result["bytes"] < LEAST_BYTES
    if small:
        print(f"the build has less than {LEAST_BYTES / 1e6:.0f} MB: a larger --scale is needed")
    wrong = {name: nodes for name, nodes in result["wrong"].items() if nodes}
    for name, nodes in wrong.items():
        print(f"{name}: not byte for byte as on wb-dev: {', '.join(nodes)}")
    print(report.last_line(result["ratios"]))
    return int(bool(small or wrong or report.missed(result["ratios"])))
