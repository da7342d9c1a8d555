"""From minions that answer to WS220 live on every node: what a new lab goes through."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from . import builds, old, project, services, webapp

if TYPE_CHECKING:
    from .cluster import Cluster

BUILD = "WS220"
INSTALLED = "the project is installed"


def found(cluster: Cluster) -> None:
    """Do what is left of the steps of a new lab; each is recorded when it is done."""
    for name, step in (OLD_STEPS if cluster.old else STEPS).items():
        done = cluster.record.get("done", [])
        if name in done:
            continue
        began = time.monotonic()
        step(cluster)
        cluster.note(done=[*done, name])
        print(f"lab: {name} ({time.monotonic() - began:.1f} s)", flush=True)
    _do_by_hand(cluster, cluster.nodes)


def start(cluster: Cluster, name: str) -> None:
    """Boot a node; returns when all that it had running answers."""
    cluster.start(name)
    _do_by_hand(cluster, [name])


def join(cluster: Cluster, name: str, like: str) -> None:
    """A node of another's site and roles joins; it holds and serves what is live."""
    cluster.add(name, like)
    if INSTALLED in cluster.record.get("done", []):
        project.admit(cluster, name)


def _build(cluster: Cluster) -> None:
    # Whoever landed it before there was the project had no mark READY to make.
    builds.stage(cluster, BUILD, cluster.record.get("scale"), land=not cluster.old)


def _release(cluster: Cluster) -> None:
    """WS220 goes live by our own command, as any later build."""
    project.follow(cluster, "salt-run", "state.orch", "orch.release", f"pillar={{build: {BUILD}}}")


def _release_by_old_scripts(cluster: Cluster) -> None:
    old.release(cluster, BUILD)


def _do_by_hand(cluster: Cluster, names: Iterable[str]) -> None:
    """What starts only when somebody starts it: the webapp of an old cluster."""
    if cluster.old:
        old.start_webapp(cluster, names)


STEPS: dict[str, Callable[[Cluster], None]] = {
    INSTALLED: project.install,
    # After it, since the blog's database lies in the MariaDB that the states set up.
    "mail, blog and FTP are set up": services.set_up,
    "the webapp is checked out": webapp.check_out,
    f"{BUILD} is staged": _build,
    f"{BUILD} is live": _release,
}
OLD_STEPS: dict[str, Callable[[Cluster], None]] = {
    "the machines are set up": old.set_up,
    "mail, blog and FTP are set up": services.set_up,
    "the webapp is checked out": old.check_out,
    f"{BUILD} is staged": _build,
    f"{BUILD} is live by the old scripts": _release_by_old_scripts,
}
