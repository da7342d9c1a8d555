"""The lab as a measurement needs it: its nodes, two builds on it, and a meter."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab import builds, project
from lab.builds.staging import Staging
from lab.cluster import Cluster
from lab.command import LabError, run
from lab.founding import found, join
from lab.inventory import LOCAL, MASTER, REMOTE, Host
from lab.node import Node

from .copies import ROOT, Pair

# While nothing is measured the link between the sites is no hindrance.
FREE_MEGABYTES = 1000.0
SIBLINGS = {"canopus2": "canopus", "canopus3": "canopus"}


@contextmanager
def standing(scale: float, siblings: Mapping[str, str] = SIBLINGS) -> Iterator[Cluster]:
    """The checkout's lab with further remote nodes, each like one that it has.

    One that had to be made goes in the end, and stays to be looked at when something failed.
    """
    lab = Cluster()
    new = lab.stand(FREE_MEGABYTES, scale=scale)
    lab.network.limit(FREE_MEGABYTES)
    found(lab)
    for name, like in siblings.items():
        join(lab, name, like)
    yield lab
    if new:
        lab.down()


def holders(lab: Cluster) -> list[Host]:
    """The nodes that hold databases, the local ones first."""
    found = [host for host in lab.inventory.hosts if "mysql" in host.roles]
    return sorted(found, key=lambda host: host.site != LOCAL)


def remote(lab: Cluster) -> list[Host]:
    """The nodes across the WAN; data enter their site through the first."""
    return [host for host in holders(lab) if host.site == REMOTE]


def pair(lab: Cluster, scale: float) -> Pair:
    """A live build of this scale, and the next one staged: of a lab that has no such live
    build, two are staged and the first is released."""
    lineage, newest_scale = Staging(lab.node(builds.STAGING).path("/")).previous(10**6)
    number = lineage[-1].number
    live = runner(lab, "wb_release.status")["live"]
    if newest_scale != scale or not live.startswith(f"WS{number}-"):
        number += 1
        builds.stage(lab, f"WS{number}", scale)
        # Of another size, it is far from the live one, on purpose.
        runner(lab, "wb_release.accept", f"build=WS{number}", "reason=a build to measure with")
        orchestrate(lab, "release", f"WS{number}")
    second = f"WS{number + 1}"
    builds.stage(lab, second, scale)
    return Pair(f"WS{number}", second, tuple(_databases(lab, second)))


def _databases(lab: Cluster, build: str) -> Iterator[tuple[str, str]]:
    """The MySQL directories of a staged build, each with the live one of the same name."""
    live = lab.node(remote(lab)[0].name)
    for path in sorted(lab.node(builds.STAGING).path(f"{ROOT}/mysql/data").glob(f"*_{build}")):
        link = live.path(f"{ROOT}/mysql/data/{path.name.removesuffix(f'_{build}')}")
        yield path.name, os.readlink(link)


def release_size(lab: Cluster, made: Pair) -> tuple[int, int]:
    """Files and bytes of the build that is pushed."""
    staging = lab.node(builds.STAGING)
    folders = [staging.path(f"{ROOT}/{copy.path}") for copy in made.copies(_ALL)]
    sizes = [path.stat().st_size for each in folders for path in each.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


_ALL = ("acedb", "mysql", "support")


def measured(lab: Cluster, way: Callable[[], None]) -> dict[str, Any]:
    """Seconds of a way to push, and bytes over the WAN: in all, and for each remote node.

    It begins with nothing in the page cache and nothing to be written.
    """
    os.sync()
    Path("/proc/sys/vm/drop_caches").write_text("3\n")
    before, began = _crossed(lab), time.monotonic()
    way()
    seconds, after = time.monotonic() - began, _crossed(lab)
    grown = {name: after[name] - before[name] for name in after}
    return {"seconds": round(seconds, 1), "wan": grown.pop("wan"), "nodes": grown}


def _crossed(lab: Cluster) -> dict[str, int]:
    network = lab.network
    return {"wan": sum(network.carried().values()), **network.carried_by_node()}


def call(node: Node, *command: str) -> str:
    """What a command inside a node prints; LabError when it fails."""
    done = node.call(*command)
    if done.returncode:
        told = f"{done.stdout[-800:]}{done.stderr[-800:]}"
        raise LabError(f"{' '.join(command)[:200]} failed on {node.name}:\n{told}")
    return done.stdout


def orchestrate(lab: Cluster, name: str, build: str) -> None:
    """Run one of our orchestrations, its progress shown."""
    words = ("salt-run", "state.orch", f"orch.{name}", f"pillar={{build: {build}}}")
    project.follow(lab, *words)


def runner(lab: Cluster, function: str, *words: str) -> Any:
    """What one of our runners answers."""
    return json.loads(call(lab.node(MASTER), "salt-run", "--out=json", function, *words))


def key_pair(folder: Path) -> tuple[str, str]:
    """A new ssh key pair: private, public."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "key")
    return (folder / "key").read_text(), (folder / "key.pub").read_text()
