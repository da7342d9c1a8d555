"""Fixtures of all tests: a scratch node with the real loader and our modules in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import salt.config
import salt.loader
from hypothesis import settings
from wbcore.layout import Layout
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# A time limit on an example says more of the other users of the machine than of ours.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

# Salt's own handlers write to pytest's closed streams when everything is over.
logging.raiseExceptions = False

CHECKOUT = Path(__file__).resolve().parent.parent


# Tests that share one lab, or one site, run in one process; else a file does, with its fixtures.
_TOGETHER = {"system", "faults", "integration"}
_QUICK = {"unit", "simulation"}


class _Scheduling(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = Path(nodeid.split("::", maxsplit=1)[0])
        return str(file.parent if file.parent.name in _TOGETHER else file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Scheduling:
    """Which tests stay together when they run in several processes.

    The groups that pytest-xdist has for it (3.8) do not work with pytest 9.
    """
    return _Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; `-m quick` chooses the tests that need no daemon."""
    for item in items:
        folder = item.path.relative_to(CHECKOUT / "tests").parts[0]
        item.add_marker("quick" if folder in _QUICK else "slow")
    items.sort(key=lambda item: "system" not in item.path.parts)


@pytest.fixture
def pillar() -> dict[str, Any]:
    """The pillar root ``wormbase`` of the scratch node: everything is root's there."""
    return {
        "acedb": {"user": "root", "group": "root"},
        "mysql": {"user": "root", "group": "root"},
    }


@pytest.fixture
def make_opts(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Options of a minion whose whole file tree lies below a scratch directory."""

    def make(name: str, pillar: dict[str, Any]) -> dict[str, Any]:
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        opts = salt.config.DEFAULT_MINION_OPTS.copy()
        opts.update(
            id=name,
            root_dir=str(root),
            cachedir=str(root / "var/cache/salt"),
            extension_modules=str(root / "var/cache/salt/extmods"),
            sock_dir=str(root / "run"),
            file_client="local",
            # No minion runs here that an event could be handed to.
            __cli="salt-call",
            module_dirs=[str(CHECKOUT / "salt/_modules")],
            states_dirs=[str(CHECKOUT / "salt/_states")],
            pillar={"wormbase": pillar},
            grains={"id": name, "os_family": "Debian", "kernel": "Linux"},
        )
        return opts

    return make


@pytest.fixture
def load(make_opts: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """Execution modules of a scratch node by its id, as Salt's own loader gives them."""

    def load(name: str, pillar: dict[str, Any]) -> Any:
        return salt.loader.minion_mods(make_opts(name, pillar))

    return load


@pytest.fixture
def modules(load: Callable[..., Any], pillar: dict[str, Any]) -> Any:
    """Execution modules of the scratch node ``node``."""
    return load("node", pillar)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """The paths of the scratch node ``node``."""
    return Layout(tmp_path / "node")


@pytest.fixture
def tree() -> Callable[[Path, dict[str, bytes]], None]:
    """Writes files, given by path and content, below a directory."""

    def write(root: Path, files: dict[str, bytes]) -> None:
        for path, content in files.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    return write
