"""Releases and ways back on the lab while something dies at a random moment.

    bench/faults [--runs N] [--seed S]

Each run makes the next build live, and every third goes back, while one or two faults strike:
machines without power or network, processes that are killed. Eight visitors ask meanwhile. Then
what was off is switched on. What was interrupted goes on by itself, or the same command ends it.

Exit code 1 when an answer was a mixture, when visitors were refused without a fault of the proxy,
or when a run did not come to its end. It prints a line for each run and each fault.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glance import at_work, live, pool
from labclient import Lab, standing
from site_of import Visitors, next_build

PROXY, STAGING, MASTER = "fe", "wb-dev", "salt"
# A release takes about so long on the lab with visitors; faults strike within it.
_RELEASE_SECONDS = 40.0
# How long a machine stays off after the run that it struck has ended.
_OFF_SECONDS = 15.0
_PATIENCE_SECONDS = 300.0
# Requests that a machine had in hand when its power went: one of each visitor at most.
_IN_HAND = 8


@dataclass(frozen=True)
class Fault:
    """Something that strikes a machine, and how it is mended; ``strike`` returns whether there was
    anything to strike."""

    what: str
    machine: str
    strike: Callable[[Lab], bool] = field(compare=False)
    mend: Callable[[Lab], object] = field(compare=False)

    def __str__(self) -> str:
        return f"{self.what} of {self.machine}"


@dataclass
class Run:
    """What came of a request that faults struck."""

    asked: str
    faults: Sequence[Fault]
    code: int
    recovered: float
    answers: int
    failed: list[str]
    mixed: list[str]
    wrong: str = ""

    @property
    def good(self) -> bool:
        """Whether all was as it has to be."""
        spared = any(fault.machine == PROXY for fault in self.faults)
        return not (self.mixed or self.wrong) and (spared or len(self.failed) <= _IN_HAND)

    def __str__(self) -> str:
        struck = " and ".join(map(str, self.faults)) or "nothing that was there"
        told = (
            f"{self.asked}, {struck}: exit code {self.code}, all well {self.recovered:.0f} s "
            f"after that was mended; {self.answers} answers, {len(self.failed)} failed, "
            f"{len(self.mixed)} mixed"
        )
        return f"{told}; {self.wrong}" if self.wrong else told


def power(machine: str) -> Fault:
    """A machine loses its power."""
    return _switched("power", machine, "crash", "start")


def network(machine: str) -> Fault:
    """A machine loses its network."""
    return _switched("network", machine, "cut", "heal")


def process(pattern: str, machine: str) -> Fault:
    """Processes of a machine are killed; whoever looks after them starts them."""

    def kill(lab: Lab) -> bool:
        return lab.exec(machine, "pkill", "-9", "-f", pattern).returncode == 0

    return Fault(f"kill {pattern}", machine, kill, lambda lab: None)


def _switched(what: str, machine: str, off: str, on: str) -> Fault:
    def strike(lab: Lab) -> bool:
        lab.do(off, machine)
        return True

    return Fault(what, machine, strike, lambda lab: lab.do(on, machine))


FAULTS = [
    *map(power, ("wb-web1", "wb-web2", "wb-gb1", "canopus", STAGING, PROXY, MASTER)),
    *map(network, ("wb-web1", "canopus", STAGING, PROXY)),
    process("salt-run state.orch", MASTER),
    process("salt-master", MASTER),
    *(process("salt-minion", machine) for machine in ("wb-web1", STAGING, PROXY)),
    *(process("mariadbd", machine) for machine in ("wb-web1", "canopus")),
    *(process("starman", machine) for machine in ("wb-web2", "canopus")),
]


def main() -> int:
    """Have faults strike, print what came of it; 1 if anything was not as it has to be."""
    parser = argparse.ArgumentParser(
        prog="bench/faults", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=200, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments (%(default)s)")
    chosen = parser.parse_args()
    lab, chance = standing(Lab()), random.Random(chosen.seed)
    runs = []
    for number in range(chosen.runs):
        faults = drawn(chance)
        runs.append(struck(lab, chance, faults, back=number % 3 == 2))
        print(f"{number + 1}. {runs[-1]}", flush=True)
        if runs[-1].wrong:
            break
    print("\n".join(table(runs)))
    return 0 if all(run.good for run in runs) else 1


def drawn(chance: random.Random) -> list[Fault]:
    """One or two faults, of different machines."""
    first, second = chance.sample(FAULTS, 2)
    both = chance.random() < 0.3 and first.machine != second.machine
    return [first, second] if both else [first]


def struck(lab: Lab, chance: random.Random, faults: Sequence[Fault], back: bool) -> Run:
    """Ask for a release, or for the way back, and have faults strike meanwhile."""
    wanted = lab.runner("wb_release.status")["way_back"].split("-")[0] if back else next_build(lab)
    if not back:
        lab.do("build", wanted)
    words = ["rollback", ""] if back else ["release", f"{{build: {wanted}}}"]
    hit: list[Fault] = []
    moments = sorted(chance.uniform(0, _RELEASE_SECONDS) for _ in faults)
    with Visitors(lab) as visitors:
        began, run = time.monotonic(), _asked(lab, *words)
        for moment, fault in zip(moments, faults, strict=True):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            if fault.strike(lab):
                hit.append(fault)
        code = run.wait(900)
        time.sleep(_OFF_SECONDS)
        for fault in hit:
            fault.mend(lab)
        mended = time.monotonic()
        wrong = "" if _recovered(lab, wanted, words) else "it did not become as it should be"
        recovered = time.monotonic() - mended
    answers = sum(visitors.seen.values())
    asked = f"orch.{words[0]} to {wanted}"
    return Run(asked, hit, code, recovered, answers, visitors.failed, visitors.mixed, wrong)


def table(runs: Sequence[Run]) -> list[str]:
    """A line for each fault: runs that it struck, their exit codes, seconds until all was well."""
    lines = ["", f"{'fault':32} runs  ended well  median s  longest s  failed  mixed"]
    for fault in FAULTS:
        hit = [run for run in runs if fault in run.faults]
        if hit:
            seconds = [run.recovered for run in hit]
            lines.append(
                f"{fault!s:32} {len(hit):4}  {sum(run.code == 0 for run in hit):10}  "
                f"{statistics.median(seconds):8.0f}  {max(seconds):9.0f}  "
                f"{sum(len(run.failed) for run in hit):6}  {sum(len(run.mixed) for run in hit):5}"
            )
    return lines


def _asked(lab: Lab, kind: str, pillar: str) -> subprocess.Popen[bytes]:
    words = [str(lab.checkout / "bin/lab"), "exec", MASTER, "salt-run", "state.orch"]
    given = [f"pillar={pillar}"] if pillar else []
    silent = subprocess.DEVNULL
    return subprocess.Popen([*words, f"orch.{kind}", *given], stdout=silent, stderr=silent)


def _recovered(lab: Lab, wanted: str, words: Sequence[str]) -> bool:
    """Whether the release that was wanted is live, and every web node in the pool, within some
    minutes: what was interrupted goes on by itself, what was refused or failed is asked again."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if not at_work(lab):
            if not live(lab).startswith(f"{wanted}-"):
                _asked(lab, words[0], words[1]).wait(900)
            elif pool(lab) == lab.web:
                return True
        time.sleep(2)
    print(lab.runner("wb_release.history", "limit=3"), file=sys.stderr)
    return False
