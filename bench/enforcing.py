"""What ``state.apply`` costs on a node with nothing to do, beside an empty highstate.

    bench/enforce [--files N] [--rounds N] [NODE …]

On the checkout's lab (made when there is none), whose live release is made to have at least
so many files on each node, an empty highstate (a top file that leads to one ``test.nop``) and
``state.apply`` are run in turn as jobs of the minion; the seconds are those from giving a job
to its return. The same with ``salt-call``, which starts Salt anew each time, is told too.

Exit code 1 when ``state.apply`` takes more than 1.5 times as long on any of the nodes. The last
line has the greatest ratio. The result is kept in bench/results/enforce.json.
"""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import builds, project
from lab.base import SALT
from lab.builds import STAGING
from lab.builds.staging import Staging
from lab.cluster import Cluster
from lab.command import LabError
from lab.founding import found
from lab.inventory import MASTER

from . import rig, starting

NODES, FILES, ROUNDS, LIMIT = ("wb-web1",), 10_000, 7, 1.5
RESULT = Path(__file__).resolve().parent / "results" / "enforce.json"
_TOP, _EMPTY = "bench_top.sls", "bench_empty.sls"
_STATES = f"{project.HOME}/salt/states"


def main() -> int:
    """Measure the nodes, keep and print the result; the exit code."""
    parser = starting.parser("bench/enforce", __doc__)
    parser.add_argument("nodes", nargs="*", default=NODES, metavar="NODE", help="(wb-web1)")
    parser.add_argument("--files", type=int, default=FILES, metavar="N",
                        help="files that the live release has at least (%(default)s)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="(%(default)s)")
    return starting.start(
        parser, lambda chosen: told(run(chosen.nodes, chosen.files, chosen.rounds))
    )


def run(nodes: Sequence[str], files: int, rounds: int) -> list[dict[str, Any]]:
    """A row for each node and way."""
    lab = Cluster()
    lab.stand()
    found(lab)
    _enlarge(lab, nodes[0], files)
    with _quiet(lab), _empty(lab):
        return [row for node in nodes for row in _rows(lab, node, rounds)]


def _rows(lab: Cluster, node: str, rounds: int) -> Iterator[dict[str, Any]]:
    held = _files(lab, node)
    for way, seconds in (("job", _job), ("salt-call", _call)):
        times = _measured(lambda *words, seconds=seconds: seconds(lab, node, *words), rounds)
        yield {"node": node, "files": held, "way": way, **times}


def _measured(seconds: Callable[..., float], rounds: int) -> dict[str, Any]:
    """Median seconds of both, taken in turn after one of each that does not count."""
    words = {"empty": ("state.top", _TOP), "apply": ("state.apply",)}
    times: dict[str, list[float]] = {name: [] for name in words}
    for number in range(rounds + 1):
        for name, each in words.items():
            took = seconds(*each)
            if number:
                times[name].append(round(took, 3))
    empty, apply = (statistics.median(times[name]) for name in ("empty", "apply"))
    return {"empty": empty, "apply": apply, "ratio": round(apply / empty, 2), "rounds": times}


def _job(lab: Cluster, node: str, *words: str) -> float:
    """Seconds from giving a job to the minion to its return, without the start of a command."""
    told = rig.call(lab.node(MASTER), f"/{SALT}/bin/python3", "-c", _TIMED, node, *words)
    answer = json.loads(told.splitlines()[-1])
    if answer["changed"]:
        raise LabError(f"{' '.join(words)} changed something on {node}: {answer['changed']}")
    return float(answer["seconds"])


def _call(lab: Cluster, node: str, *words: str) -> float:
    began = time.monotonic()
    rig.call(lab.node(node), "salt-call", "--out=json", *words)
    return time.monotonic() - began


_TIMED = """
import json, sys, time
import salt.client
node, function, *arguments = sys.argv[1:]
client = salt.client.LocalClient()
began = time.monotonic()
answer = client.cmd(node, function, arguments, timeout=60)[node]
seconds = time.monotonic() - began
changed = [one["__id__"] for one in answer.values() if one["changes"] or not one["result"]]
print(json.dumps({"seconds": seconds, "changed": changed}))
"""


def _enlarge(lab: Cluster, node: str, files: int) -> None:
    """Let a build of enough files go live, unless one is."""
    have = _files(lab, node)
    if have >= files:
        return
    staging = Staging(lab.node(STAGING).path("/"))
    _, scale = staging.previous(_live(lab) + 1)
    lineage, _ = staging.previous(10**6)
    build = f"WS{lineage[-1].number + 1}"
    builds.stage(lab, build, (scale or 1) * math.ceil(files / have))
    # Of another size, it is far from the live one, on purpose.
    rig.runner(lab, "wb_release.accept", f"build={build}", "reason=a build to measure with")
    rig.orchestrate(lab, "release", build)
    if _files(lab, node) < files:
        raise LabError(f"{build} has {_files(lab, node)} files on {node}, fewer than {files}")


def _files(lab: Cluster, node: str) -> int:
    """Files of the live release on a node."""
    live = f"WS{_live(lab)}"
    words = ("salt", "--out=json", "--static", node, "wb_dataset.held")
    held = json.loads(rig.call(lab.node(MASTER), *words))[node]
    return sum(facts["files"] for dataset, facts in held.items() if live in dataset)


def _live(lab: Cluster) -> int:
    """Number of the live build."""
    live = str(rig.runner(lab, "wb_release.status")["live"])
    return int(live.partition("-")[0].removeprefix("WS"))


@contextmanager
def _quiet(lab: Cluster) -> Iterator[None]:
    """No node enforces its states by itself meanwhile."""
    words = ("salt", "--timeout=30", "*")
    rig.call(lab.node(MASTER), *words, "schedule.disable")
    try:
        yield
    finally:
        rig.call(lab.node(MASTER), *words, "schedule.enable")


@contextmanager
def _empty(lab: Cluster) -> Iterator[None]:
    """The master has a top file that leads to one state, which does nothing."""
    master = lab.node(MASTER)
    master.write(f"{_STATES}/{_TOP}", "base:\n  '*':\n    - bench_empty\n")
    master.write(f"{_STATES}/{_EMPTY}", "nothing:\n  test.nop: []\n")
    try:
        yield
    finally:
        for name in (_TOP, _EMPTY):
            master.path(f"{_STATES}/{name}").unlink()


def told(rows: Sequence[dict[str, Any]]) -> int:
    """Keep and print the result; the exit code."""
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(rows, indent=2) + "\n")
    print(f"{'node':10} {'files':>7} {'way':10} {'empty s':>8} {'apply s':>8} {'ratio':>6}")
    for row in rows:
        print(f"{row['node']:10} {row['files']:7,} {row['way']:10} "
              f"{row['empty']:8.2f} {row['apply']:8.2f} {row['ratio']:6.2f}")  # fmt: skip
    worst = max(row["ratio"] for row in rows)
    print(f"ratio {worst:.2f} (at most {LIMIT})")
    return int(worst > LIMIT)
