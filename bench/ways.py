"""Three ways to bring a build to every node."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.builds import STAGING
from lab.cluster import Cluster
from lab.command import LabError
from lab.inventory import MASTER, Host

from . import copies, rig
from .copies import KEY, PORT, SCRATCH, Pair

_PIDFILE = "/run/bench-sshd.pid"
# What is done once for all nodes before anything travels; their seconds are told apart.
BEFORE = ("seal", "make_parcels")


@contextmanager
def doors(lab: Cluster, pair: Pair) -> Iterator[None]:
    """On every node an sshd for root of the others, and an empty scratch directory."""
    hosts = [lab.inventory.host(STAGING), *rig.holders(lab)]
    try:
        with tempfile.TemporaryDirectory() as folder:
            private, public = rig.key_pair(Path(folder))
        for host in hosts:
            _open(lab, host, pair, private, public)
        yield
    finally:
        for host in hosts:
            _close(lab, host)


def _open(lab: Cluster, host: Host, pair: Pair, private: str, public: str) -> None:
    node = lab.node(host.name)
    node.write(KEY, private, 0o600)
    node.write(f"{KEY}.pub", public)
    folders = [f"{SCRATCH}/{copy.path}" for copy in pair.copies(host.roles)]
    rig.call(node, "mkdir", "-p", "/run/sshd", *folders)
    settings = {"PidFile": _PIDFILE, "HostKey": KEY, "AuthorizedKeysFile": f"{KEY}.pub",
                "StrictModes": "no", "MaxStartups": "100"}  # fmt: skip
    options = [f"-o{name}={value}" for name, value in settings.items()]
    rig.call(node, "/usr/sbin/sshd", "-f", "/dev/null", "-p", str(PORT), *options)


def _close(lab: Cluster, host: Host) -> None:
    node = lab.node(host.name)
    node.call("start-stop-daemon", "--stop", "--retry=5", "--remove-pidfile", "--pidfile", _PIDFILE)
    rig.call(node, "rm", "-rf", SCRATCH, KEY, f"{KEY}.pub")


def old_scripts(lab: Cluster, pair: Pair) -> None:
    """One node after another, one directory after another, everything whole."""
    for host in rig.holders(lab):
        for copy in pair.copies(host.roles):
            rig.call(lab.node(STAGING), *copies.old(copy, host.roles, host.name))


def rsync_with_basis(lab: Cluster, pair: Pair) -> None:
    """All nodes at once; over the WAN one trip, to the first, which hands it on."""
    entry, *siblings = rig.remote(lab)
    first = [host for host in rig.holders(lab) if host not in siblings]
    with ThreadPoolExecutor(max_workers=16) as pool:
        trips = {host: pool.submit(_fetch, lab, pair, host, STAGING) for host in first}
        trips[entry].result()
        trips |= {host: pool.submit(_fetch, lab, pair, host, entry.name) for host in siblings}
        for trip in trips.values():
            trip.result()


def _fetch(lab: Cluster, pair: Pair, host: Host, source: str) -> None:
    for copy in pair.copies(host.roles):
        command = copies.based(copy, host.roles, source, sibling=source != STAGING)
        rig.call(lab.node(host.name), *command)


def ours(lab: Cluster, pair: Pair) -> dict[str, Any]:
    """The project's own way; ``seconds`` are those of the steps after sealing and parcels.

    The build is sealed before. ``steps`` is what the ledger says, ``command`` how long the
    whole command took.
    """
    began = time.monotonic()
    rig.call(lab.node(MASTER), "salt", "--timeout=600", STAGING, "wb_build.seal", pair.second)
    sealing = time.monotonic() - began
    found = rig.measured(lab, lambda: rig.orchestrate(lab, "push", pair.second))
    steps = _steps_of_push(lab, pair.second)
    seconds = {name: step["seconds"] for name, step in steps.items()}
    before = {name: seconds.pop(name) for name in BEFORE if name in seconds}
    return {
        **found,
        "command": found["seconds"],
        "seconds": round(sum(seconds.values()), 1),
        "before": before | {"seal": round(sealing + before.get("seal", 0), 1)},
        "steps": steps,
    }


def _steps_of_push(lab: Cluster, build: str) -> dict[str, dict[str, Any]]:
    """What the ledger says of the newest run, which has to be the push of this build."""
    newest = rig.runner(lab, "wb_release.history", "limit=1")[0]
    if f"-push-{build}-" not in newest["run"] or newest["outcome"] != "done":
        raise LabError(f"the newest run is {newest['run']}: {newest['outcome']}; {build} was there")
    steps: dict[str, dict[str, Any]] = newest["steps"]
    return steps
