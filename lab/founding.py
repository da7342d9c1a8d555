"""From minions that answer to WS220 live on every node: what a new lab goes through."""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from . import builds, project

if TYPE_CHECKING:
    from .cluster import Cluster

BUILD = "WS220"


def found(cluster: Cluster) -> None:
    """Do what is left of the steps of a new lab; each is recorded when it is done."""
    for name, step in STEPS.items():
        done = cluster.record.get("done", [])
        if name in done:
            continue
        began = time.monotonic()
        step(cluster)
        cluster.place.record.write_text(json.dumps({**cluster.record, "done": [*done, name]}))
        print(f"lab: {name} ({time.monotonic() - began:.1f} s)", flush=True)


def _services(cluster: Cluster) -> None:
    """Mail, blog and FTP on wb-dev."""
    importlib.import_module("lab.services").set_up(cluster)


def _webapp(cluster: Cluster) -> None:
    """The Mercurial checkout ``website/staging`` on wb-dev."""
    importlib.import_module("lab.webapp").check_out(cluster)


def _build(cluster: Cluster) -> None:
    builds.stage(cluster, BUILD, land=True)


def _release(cluster: Cluster) -> None:
    """WS220 goes live by our own command, as any later build."""
    project.show(cluster, "salt-run", "state.orch", "orch.release", f"pillar={{build: {BUILD}}}")


STEPS: dict[str, Callable[[Cluster], None]] = {
    "services of wb-dev are set up": _services,
    "the project is installed": project.install,
    "the webapp is checked out": _webapp,
    f"{BUILD} is staged": _build,
    f"{BUILD} is live": _release,
}
