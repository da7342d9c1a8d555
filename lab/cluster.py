"""The cluster: all nodes of one lab together, from nothing to WS220 live."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import base, debian, keys
from .command import LabError
from .inventory import MASTER, NAMES, address, host
from .network import WAN_MEGABYTES, Network, free_subnet, namespaces
from .node import Node
from .place import Place

# What the machine itself needs, besides what every Debian has.
_TOOLS = ("iproute2", "nftables", "openssl", "openssh-client")
_ANSWER_SECONDS = 180.0
_LIVE_WEBAPP = "/usr/local/wormbase/website/production"
# A service that runs but does not answer yet is seen by a page of it.
_PAGES = {
    "nginx": "http://localhost/version",
    "wormbase-starman": "http://localhost:5000/version",
}


@dataclass(frozen=True)
class Cluster:
    """The lab of a checkout."""

    place: Place = field(default_factory=Place)

    @property
    def nodes(self) -> dict[str, Node]:
        return {name: Node(self.place, name) for name in NAMES}

    def node(self, name: str) -> Node:
        """A node by its name; LabError for any other name."""
        if name not in NAMES:
            raise LabError(f"no node is called {name!r}; there are {', '.join(NAMES)}")
        return Node(self.place, name)

    @property
    def record(self) -> dict[str, Any]:
        """What was chosen when the lab was made; LabError when there is none."""
        if not self.place.record.exists():
            raise LabError("there is no lab of this checkout; bin/lab up makes one")
        known: dict[str, Any] = json.loads(self.place.record.read_text())
        return known

    @property
    def network(self) -> Network:
        return Network(self.place, self.record["subnet"])

    @property
    def layers(self) -> list[Path]:
        """Layers under every node's root; a lab can not be booted when one was removed."""
        return [Path(layer) for layer in self.record["layers"]]

    def address(self, name: str) -> str:
        return address(self.record["subnet"], name)

    def stand(self, disk_megabytes: int | None, wan_megabytes: float = WAN_MEGABYTES) -> bool:
        """Make the lab unless there is one, boot the nodes that are down, wait for minions.

        A lab whose layers are gone can not be booted; a new one takes its place.
        Returns whether the lab is new.
        """
        debian.install(*_TOOLS)
        with self.place.locked():
            new = not self.place.record.exists() or not all(map(Path.is_dir, self.layers))
            if new:
                self._remove()
                self._make(disk_megabytes)
            self.network.up(wan_megabytes)
            self._boot(name for name in NAMES if self.node(name).init is None)
        self.wait_minions(NAMES)
        return new

    def start(self, name: str) -> None:
        """Boot a node; returns when its services and its minion answer."""
        node = self.node(name)
        with self.place.locked():
            self.network.up()
            if node.init is None:
                self._boot([name])
        self.wait_services(name)
        self.wait_minions(self.up_names() if name == MASTER else [name])

    def crash(self, name: str) -> None:
        """A power cut: every process of the node dies at once, its disk stays."""
        node = self.node(name)
        with self.place.locked():
            node.kill()

    def down(self) -> None:
        """Remove the lab with its disks: no process, mount, link or namespace stays."""
        with self.place.locked():
            self._remove()

    def status(self) -> dict[str, Any]:
        """Address, site, and whether it is up and its minion answers, of every node."""
        up = self.up_names()
        answering = self.answering(up)
        nodes = {
            name: {
                "address": self.address(name),
                "site": host(name).site,
                "up": name in up,
                "minion": name in answering,
            }
            for name in NAMES
        }
        return {"nodes": nodes}

    def up_names(self) -> list[str]:
        """Names of the nodes that are up."""
        return [name for name, node in self.nodes.items() if node.init]

    def answering(self, names: Iterable[str]) -> set[str]:
        """Those of the nodes whose minions answer the master within a few seconds."""
        master = self.node(MASTER)
        if master.init is None:
            return set()
        # Asking takes long when somebody does not answer, so leave out who can not.
        wanted = set(names) & self._listening() - self.network.cuts()
        if not wanted:
            return set()
        told = master.call("salt", "--out=json", "--static", "--timeout=5",
                           "-L", ",".join(wanted), "test.ping")  # fmt: skip
        try:
            return {name for name, answer in json.loads(told.stdout).items() if answer is True}
        except ValueError:
            return set()

    def wait_minions(self, names: Iterable[str]) -> None:
        """Return when the minions of these nodes that are not cut answer."""
        wanted = set(names) - self.network.cuts()
        if self.node(MASTER).init is None or MASTER in self.network.cuts():
            return
        limit = time.monotonic() + _ANSWER_SECONDS
        while wanted:
            if wanted <= self._listening():
                wanted -= self.answering(wanted)
            if wanted and time.monotonic() > limit:
                silent = ", ".join(sorted(wanted))
                raise LabError(f"no answer from the minion of {silent}; see bin/lab logs NODE")
            time.sleep(0.1)

    def _listening(self) -> set[str]:
        """Nodes whose minions hold a connection to the master's publisher."""
        told = self.node(MASTER).call("ss", "-Htn", "state", "established", "sport", "=", ":4505")
        peers = {line.split()[3].rsplit(":", 1)[0] for line in told.stdout.splitlines()}
        return {name for name in NAMES if self.address(name) in peers}

    def wait_services(self, name: str) -> None:
        """Return when every service that the node starts at boot runs."""
        node = self.node(name)
        limit = time.monotonic() + _ANSWER_SECONDS
        while stopped := _stopped(node):
            if time.monotonic() > limit:
                raise LabError(
                    f"{name}: {', '.join(stopped)} does not run; see bin/lab logs {name}"
                )
            time.sleep(0.2)

    def _remove(self) -> None:
        for space in namespaces(self.place):
            Node(self.place, space.removeprefix(f"{self.place.prefix}-")).kill()
        Network(self.place, "").down()
        if self.place.state.exists():
            shutil.rmtree(self.place.state)

    def _make(self, disk_megabytes: int | None) -> None:
        layers = base.layers()
        subnet = free_subnet(self.place)
        record = {
            "checkout": str(self.place.checkout),
            "subnet": subnet,
            "layers": [str(layer) for layer in layers],
        }
        for name, node in self.nodes.items():
            node.format(layers, disk_megabytes)
            node.write("/etc/hostname", f"{name}\n")
            node.write("/etc/hosts", _hosts(subnet))
        keys.lay(self.nodes)
        links = self.node(MASTER).upper / "etc/rc2.d"
        links.mkdir(parents=True)
        (links / "S01salt-master").symlink_to("../init.d/salt-master")
        # Written last: a lab without its record is one that was never finished.
        self.place.record.write_text(json.dumps(record, indent=2))

    def _boot(self, names: Iterable[str]) -> None:
        names = list(names)
        for name in names:
            self.node(name).kill()
            self.network.attach(name)
            self.node(name).boot(self.layers)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.node(name).wait_booted(), names))


def _hosts(subnet: str) -> str:
    lines = ["127.0.0.1 localhost"] + [f"{address(subnet, name)} {name}" for name in NAMES]
    return "\n".join(lines) + "\n"


def _stopped(node: Node) -> list[str]:
    """Services with a start link for boot that do not run, or do not answer."""
    links = node.call("ls", "/etc/rc2.d").stdout.split()
    enabled = {link[3:] for link in links if link.startswith("S")}
    if node.call("test", "-e", _LIVE_WEBAPP).returncode != 0:
        enabled.discard("wormbase-starman")
    return sorted(name for name in enabled if not _answers(node, name))


def _answers(node: Node, service: str) -> bool:
    if node.call("service", service, "status").returncode != 0:
        return False
    page = _PAGES.get(service)
    return page is None or node.call("curl", "-s", "-m", "5", page).returncode == 0
