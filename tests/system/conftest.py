"""One lab for all system tests: that of this checkout, with the working tree installed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from labclient import Lab, second_checkout, standing

from lab.place import STATE, Place

# The id of a lab in the names of all that it has.
LAB = re.compile(rf"(?:\bwl|{STATE}/)([0-9a-f]{{6}})\b")


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab of this checkout, up, with WS220 or a later build live; it stays up for the next
    session."""
    return standing(Lab())


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
