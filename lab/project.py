"""Installing the project on the lab's master, by the steps in docs/install.md."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from . import services, site
from .command import LabError
from .inventory import MASTER, PROXY

if TYPE_CHECKING:
    from .cluster import Cluster

HOME = "/srv/wormbase-release"
_LEFT_OUT = shutil.ignore_patterns(".git", ".lab", ".venv", "__pycache__", ".*_cache", "results")


def install(cluster: Cluster) -> None:
    """Copy the working tree to the master, install it, and bring every node to its state."""
    copy(cluster)
    carry_out(cluster, f"{HOME}/bin/install")
    carry_out(cluster, "salt", "*", "state.apply", "--state-output=changes", "--timeout=30")


def admit(cluster: Cluster, name: str) -> None:
    """Bring a node that joined to its state, and into the proxy's pool when it is fit for it."""
    describe(cluster)
    carry_out(cluster, "salt", "*", "saltutil.refresh_pillar", "wait=True", "--timeout=30")
    carry_out(cluster, "salt", name, "saltutil.sync_all", "--timeout=30")
    for node in (name, PROXY):
        carry_out(cluster, "salt", node, "state.apply", "--state-output=changes", "--timeout=30")


def copy(cluster: Cluster) -> None:
    """Put the working tree and the site's pillar on the master, in place of older ones."""
    home = cluster.node(MASTER).path(HOME)
    fresh = home.with_name(f".{home.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(cluster.place.checkout, fresh, symlinks=True, ignore=_LEFT_OUT)
    shutil.rmtree(home, ignore_errors=True)
    fresh.rename(home)
    describe(cluster)


def describe(cluster: Cluster) -> None:
    """Write the site's pillar on the master: the lab's nodes, and what they may know."""
    pillar = cluster.node(MASTER).path(site.PILLAR)
    pillar.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = site.known_secrets(cluster.place)
    settings = services.settings(known)
    files = site.pillar(
        cluster.inventory, cluster.record["subnet"], known["carrier"], settings, cluster.old
    )
    for name, text in files.items():
        (pillar / name).write_text(text)


def carry_out(cluster: Cluster, *command: str) -> None:
    """Run a command on the master; LabError with what it said when it fails."""
    done = cluster.node(MASTER).call(*command)
    if done.returncode != 0:
        told = f"{done.stdout}\n{done.stderr}".strip()
        log = cluster.place.state / "failed.log"
        log.write_text(told)
        tail = "\n".join(told.splitlines()[-15:])
        raise LabError(f"{' '.join(command)} failed on {MASTER} (all of it in {log}):\n{tail}")


def follow(cluster: Cluster, *command: str) -> None:
    """Run a command on the master with its progress, but not its result, on this terminal."""
    inside = cluster.node(MASTER).enter(command)
    log = cluster.place.state / "last.log"
    with log.open("w", encoding="utf-8") as out:
        done = subprocess.run(inside, check=False, stdin=subprocess.DEVNULL, stdout=out)
    if done.returncode != 0:
        raise LabError(f"{' '.join(command)} failed on {MASTER}; all of it in {log}")
