"""A lab for the system tests of a process, with the working tree installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from labclient import CHECKOUT, HAS_THE_CHECKOUTS_LAB, Lab

from lab import founding
from lab.place import STATE, Place

# The id of a lab in the names of all that it has.
LAB = re.compile(rf"(?:\bwl|{STATE}/)([0-9a-f]{{6}})\b")
# One build has some 25 MB.
SCALE = "0.25"


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab, up, with WS220 or a later build live.

    It is that of this checkout, and stays up for the next session. Where tests run in several
    processes, the first has that one, and any other one of its own, which goes in the end.
    """
    if HAS_THE_CHECKOUTS_LAB:
        yield standing(Lab())
        return
    with second_checkout(tmp_path_factory.mktemp("lab")) as client:
        yield standing(client)


def standing(client: Lab) -> Lab:
    """A lab that is up with the working tree on it; a new one has small builds."""
    done = client.do("up", "--scale", SCALE, seconds=1500)
    if founding.INSTALLED not in done:
        client.do("install")
    return client


@contextmanager
def second_checkout(directory: Path) -> Iterator[Lab]:
    """A copy of this checkout; whatever becomes of its lab, it is taken down afterwards."""
    checkout = directory / "checkout"
    leave_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__")
    shutil.copytree(CHECKOUT, checkout, ignore=leave_out, symlinks=True)
    client = Lab(checkout)
    yield client
    client.do("down")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Lab]:
    """A second checkout for a lab of another kind."""
    with second_checkout(tmp_path) as client:
        yield client


@pytest.fixture
def machine(other: Lab) -> Callable[[], dict[str, list[str]]]:
    """What labs may leave behind on the machine: all that there is, but for what is another
    lab's and for what tests in another process have mounted in their own directories."""
    own = Place(other.checkout).id
    commands = {
        "links": ("ip", "-brief", "link"),
        "namespaces": ("ip", "netns", "list"),
        "tables": ("nft", "list", "tables"),
        "mounts": ("cat", "/proc/self/mounts"),
        "loops": ("losetup", "--noheadings", "--list"),
        "cgroups": ("find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", "wl*"),
    }

    def of_others(line: str) -> bool:
        labs = set(LAB.findall(line))
        elsewhere = "/pytest-of-" in line and str(other.checkout.parent) not in line
        return elsewhere or (bool(labs) and own not in labs)

    def machine() -> dict[str, list[str]]:
        told = {
            name: subprocess.run(words, check=True, capture_output=True, text=True).stdout
            for name, words in commands.items()
        }
        return {
            name: sorted(line for line in text.splitlines() if not of_others(line))
            for name, text in told.items()
        }

    return machine
