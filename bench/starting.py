"""How every benchmark starts: its options, root, the signals that end it, errors of the lab."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable

from lab.command import LabError


def parser(name: str, doc: str | None) -> argparse.ArgumentParser:
    """A parser of the options of a command such as ``bench/push``."""
    return argparse.ArgumentParser(prog=name, description=(doc or "").splitlines()[0])


def start(options: argparse.ArgumentParser, work: Callable[[argparse.Namespace], int]) -> int:
    """Do the work of a benchmark with the options on the command line; its exit code."""
    chosen = options.parse_args()
    if os.geteuid() != 0:
        sys.exit(f"{options.prog} has to run as root")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupted)
    try:
        return work(chosen)
    except LabError as error:
        sys.exit(f"{options.prog}: {error}")


def _interrupted(number: int, _: object) -> None:
    """End this process with all that it has started. (Salt's client keeps a KeyboardInterrupt
    for itself.)"""
    sys.exit(128 + number)
