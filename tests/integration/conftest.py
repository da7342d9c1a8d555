"""A master and four nodes of a small site on this machine, started once for all tests here.

Everything of a node, and of the master, lies below a scratch directory of its own, since
Salt's ``root_dir`` is what the project's paths start from.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from boards import board_settings, running_board
from carriers import Carriers
from wbcore.layout import Layout
from wbsite import ADDRESSES, Site, install_master, pillar_of, run_socket

# As on a node that has to be back soon after the master was killed.
MINION = {
    "enable_gpu_grains": False,
    "enable_fqdns_grains": False,
    "recon_default": 100,
    "recon_max": 500,
    "recon_randomize": False,
    "random_reauth_delay": 1,
    "auth_timeout": 2,
    "acceptance_wait_time": 0.5,
    "return_retry_timer": 1,
    "return_retry_timer_max": 2,
    "request_channel_timeout": 5,
    "log_level_logfile": "info",
    "pytest-minion": {"log": {"level": "error"}},
}
MASTER = {
    "auto_accept": True,
    "worker_threads": 3,
    "enable_gpu_grains": False,
    "enable_fqdns_grains": False,
    "log_level_logfile": "info",
    "pytest-master": {"log": {"level": "error"}},
}


RUNNING = pytest.StashKey[ExitStack]()


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest) -> Iterator[ExitStack]:
    """Whatever runs for these tests, to be ended with the last of them."""
    with ExitStack() as stack:
        request.config.stash[RUNNING] = stack
        yield stack


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Leave the machine to the tests of the next folder: the session goes on with them."""
    if nextitem is None or nextitem.path.parent != item.path.parent:
        item.config.stash.get(RUNNING, ExitStack()).close()


@pytest.fixture(scope="session")
def cluster_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the trees of the master and of all nodes lie."""
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="session")
def salt_factories_config(cluster_root: Path) -> dict[str, Any]:
    """What every daemon shares; Salt is not on the PATH, as where it lies in an environment."""
    return {
        "root_dir": cluster_root,
        "slow_stop": False,
        # What is measured of the core is measured by the tests that call it.
        "inject_sitecustomize": False,
        "coverage_rc_path": None,
        "coverage_db_path": None,
    }


@pytest.fixture(scope="session")
def site_pillar(cluster_root: Path) -> dict[str, Any]:
    """The pillar root ``wormbase`` of the site, with a key of its own."""
    key = cluster_root / "carrier_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key], check=True)
    return pillar_of(key)


@pytest.fixture(scope="session")
def master(
    salt_factories: Any, cluster_root: Path, site_pillar: dict[str, Any], running: ExitStack
) -> Any:
    """The master with the project installed by its own configuration file."""
    pillar = cluster_root / "site" / "pillar"
    pillar.mkdir(parents=True)
    (pillar / "site.sls").write_text(yaml.safe_dump({"wormbase": site_pillar}))
    root = cluster_root / "salt"
    install_master(root, pillar.parent)
    factory = salt_factories.salt_master_daemon(
        "salt",
        defaults={"root_dir": str(root)},
        overrides={**MASTER, **board_settings(cluster_root / "board")},
    )
    # Reactors and pillar modules are read when the master starts: what they import comes first.
    synced = factory.salt_run_cli().run("saltutil.sync_all")
    assert synced.returncode == 0, synced
    running.enter_context(run_socket(Layout(root)))
    return running.enter_context(factory.started())


@pytest.fixture(scope="session")
def minions(master: Any, running: ExitStack) -> dict[str, Any]:
    """The nodes' minions by id, with the project's modules."""
    daemons = {node: master.salt_minion_daemon(node, overrides=dict(MINION)) for node in ADDRESSES}
    running.callback(_at_once, daemons, "terminate")
    assert all(_at_once(daemons, "start"))
    synced = master.salt_cli().run("saltutil.sync_all", minion_tgt="*", _timeout=120)
    assert synced.returncode == 0, synced
    return daemons


@pytest.fixture(scope="session")
def carriers(
    master: Any, minions: dict[str, Any], site_pillar: dict[str, Any], running: ExitStack
) -> Carriers:
    """The sshd of every node from which others fetch, with the files that Salt renders."""
    layouts = {node: Layout(Path(daemon.config["root_dir"])) for node, daemon in minions.items()}
    return running.enter_context(Carriers(master, layouts, site_pillar["carrier"]))


@pytest.fixture(scope="session")
def board(master: Any, cluster_root: Path, running: ExitStack) -> str:
    """The address of the board of this master."""
    return running.enter_context(running_board(master, cluster_root / "board"))


@pytest.fixture
def site(master: Any, minions: dict[str, Any], carriers: Carriers) -> Iterator[Site]:
    """The site with empty nodes and an empty ledger."""
    whole = Site(master, carriers.layouts)
    whole.clean()
    yield whole
    whole.end()


def _at_once(daemons: dict[str, Any], verb: str) -> list[Any]:
    with ThreadPoolExecutor(len(daemons)) as pool:
        return list(pool.map(lambda daemon: getattr(daemon, verb)(), daemons.values()))
