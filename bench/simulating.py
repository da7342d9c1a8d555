"""Stories by chance on a simulated site: how many, how long they took, and what was found."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import hypothesis
from chance import stories
from rehearsal import scratch
from simulated_site import Act
from stories import SITES, beginning, play

from bench.planted import FAULTS, Plant

# Stories are dealt out in portions of this size, so that no process has to wait for another.
_PORTION = 250


@dataclass(frozen=True)
class Found:
    """What a portion of stories came to; ``story`` is the shortest one that ended badly."""

    stories: int = 0
    calls: int = 0
    site: str = ""
    seed: int = 0
    wrong: str = ""
    story: tuple[Act, ...] = ()

    def words(self) -> str:
        """What is wrong, after which story."""
        lines = [f"{self.wrong} (site: {self.site}; seed {self.seed})"]
        return "\n".join([*lines, *(f"  {n}. {act!r}" for n, act in enumerate(self.story, 1))])


def portion(site: str, seed: int, count: int, plant: Plant = contextlib.nullcontext) -> Found:
    """Play so many stories on a site, with a fault in the software."""
    played, calls = 0, 0
    shortest: list[tuple[Sequence[Act], str]] = []

    with scratch() as root:
        begun = beginning(site, root / "beginning")

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=count,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            report_multiple_bugs=False,
        )
        @hypothesis.given(story=stories)
        def told(story: Sequence[Act]) -> None:
            nonlocal played, calls
            played += 1
            with tempfile.TemporaryDirectory(dir=root) as room:
                try:
                    calls += play(begun, Path(room), story)
                except Exception as error:
                    shortest[:] = [(story, f"{type(error).__name__}: {error}")]
                    raise

        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()), plant():
            told()
    if not shortest:
        return Found(played, calls)
    story, wrong = shortest[0]
    return Found(played, calls, site, seed, wrong.splitlines()[0], tuple(story))


def _portion(given: tuple[str, int, int]) -> Found:
    return portion(*given)


def main() -> int:
    """Play stories and print what they came to; 1 if one ended badly."""
    asked = _arguments()
    logging.disable(logging.CRITICAL)
    if asked.planted:
        return _planted(asked.seed, asked.seconds)
    began, sites = time.monotonic(), list(SITES)
    portions = [
        (sites[number % len(sites)], asked.seed + number, min(_PORTION, asked.runs - first))
        for number, first in enumerate(range(0, asked.runs, _PORTION))
    ]
    done, calls = 0, 0
    with multiprocessing.Pool(asked.processes, _silent) as pool:
        for found in pool.imap_unordered(_portion, portions):
            done, calls = done + found.stories, calls + found.calls
            if found.wrong:
                print(found.words())
                return 1
    seconds = time.monotonic() - began
    print(
        f"{done} stories with {calls} calls in {seconds:.0f} s: nothing wrong "
        f"({done / seconds:.0f} stories and {calls / seconds:.0f} calls a second)"
    )
    return 0


def _planted(seed: int, most: float) -> int:
    """Plant each fault in turn, and tell after how many stories it was found."""
    missed = 0
    for name, plant in FAULTS.items():
        found, seconds = _hunt(plant, seed, most)
        missed += not found.wrong
        told = found.words() if found.wrong else "NOT FOUND"
        print(f"{name}: after {found.stories} stories, {seconds:.1f} s\n  {told}", flush=True)
    return 1 if missed else 0


def _hunt(plant: Plant, seed: int, most: float) -> tuple[Found, float]:
    began, played = time.monotonic(), 0
    while True:
        for site in SITES:
            found = portion(site, seed, 40, plant)
            seconds, played = time.monotonic() - began, played + found.stories
            if found.wrong or seconds > most:
                return replace(found, stories=played), seconds
        seed += 1


def _silent() -> None:
    """What runs draw on the terminal is nothing for here."""
    logging.disable(logging.CRITICAL)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/simulate", description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="how many stories (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the first portion (%(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="(%(default)s)")
    parser.add_argument(
        "--planted", action="store_true", help="plant one fault after the other, and look for it"
    )
    parser.add_argument(
        "--seconds", type=float, default=60, help="in which a planted fault is found (%(default)s)"
    )
    return parser.parse_args()
