"""From minions that answer to WS220 live on every node: what a new lab goes through."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import builds, project, services, webapp

if TYPE_CHECKING:
    from .cluster import Cluster

BUILD = "WS220"
INSTALLED = "the project is installed"


def found(cluster: Cluster) -> None:
    """Do what is left of the steps of a new lab; each is recorded when it is done."""
    for name, step in STEPS.items():
        done = cluster.record.get("done", [])
        if name in done:
            continue
        began = time.monotonic()
        step(cluster)
        cluster.note(done=[*done, name])
        print(f"lab: {name} ({time.monotonic() - began:.1f} s)", flush=True)


def join(cluster: Cluster, name: str, like: str) -> None:
    """A node of another's site and roles joins; it holds and serves what is live."""
    cluster.add(name, like)
    if INSTALLED in cluster.record.get("done", []):
        project.admit(cluster, name)


def _build(cluster: Cluster) -> None:
    builds.stage(cluster, BUILD, cluster.record.get("scale"), land=True)


def _release(cluster: Cluster) -> None:
    """WS220 goes live by our own command, as any later build."""
    project.follow(cluster, "salt-run", "state.orch", "orch.release", f"pillar={{build: {BUILD}}}")


STEPS: dict[str, Callable[[Cluster], None]] = {
    INSTALLED: project.install,
    # After it, since the blog's database lies in the MariaDB that the states set up.
    "mail, blog and FTP are set up": services.set_up,
    "the webapp is checked out": webapp.check_out,
    f"{BUILD} is staged": _build,
    f"{BUILD} is live": _release,
}
