"""One lab for all system tests: that of this checkout, with the working tree installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from labclient import CHECKOUT, Lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab, up, with WS220 or a later build live; it stays up for the next session."""
    client = Lab()
    client.do("up", seconds=1500)
    client.do("install")
    return client


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Lab]:
    """A second checkout; whatever becomes of its lab, it is taken down afterwards."""
    checkout = tmp_path / "checkout"
    leave_out = shutil.ignore_patterns(".git", ".venv", ".*_cache", "__pycache__")
    shutil.copytree(CHECKOUT, checkout, ignore=leave_out, symlinks=True)
    client = Lab(checkout)
    yield client
    client.do("down")


@pytest.fixture
def machine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], dict[str, list[str]]]:
    """What labs may leave behind on the machine: all that there is, but for what tests in
    another process have mounted in their own scratch directories at this moment."""
    own = tmp_path_factory.getbasetemp()
    commands = {
        "links": ("ip", "-brief", "link"),
        "namespaces": ("ip", "netns", "list"),
        "tables": ("nft", "list", "tables"),
        "mounts": ("cat", "/proc/self/mounts"),
        "loops": ("losetup", "--noheadings", "--list"),
        "cgroups": ("find", "/sys/fs/cgroup", "-maxdepth", "2", "-name", "wl*"),
    }

    def of_others(line: str) -> bool:
        return f"{own.parent}/" in line and f"{own}/" not in line

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
