"""The cluster: all nodes of one lab together, from nothing to WS220 live."""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import base, debian, keys, limits
from .command import LabError
from .inventory import HOSTS, MASTER, Inventory
from .network import WAN_MEGABYTES, Network, free_subnet, namespaces
from .node import Node
from .place import Place

# What the machine itself needs, besides what every Debian has.
_TOOLS = ("e2fsprogs", "iproute2", "mount", "nftables", "openssl", "openssh-client")
_ANSWER_SECONDS = 180.0
_WAY_OUT = "bin/lab down removes it, then bin/lab up --old makes an old one"
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
        return {name: Node(self.place, name) for name in self.inventory.names}

    def node(self, name: str) -> Node:
        """A node by its name; LabError for any other name."""
        return Node(self.place, self.inventory.host(name).name)

    @property
    def record(self) -> dict[str, Any]:
        """What was chosen when the lab was made; LabError when there is none."""
        if not self.place.record.exists():
            raise LabError("there is no lab of this checkout; bin/lab up makes one")
        known: dict[str, Any] = json.loads(self.place.record.read_text())
        return known

    def note(self, **known: Any) -> None:
        """Keep something in the record."""
        self.place.record.write_text(json.dumps(self.record | known, indent=2))

    @property
    def old(self) -> bool:
        """Whether the lab began as a cluster that the old scripts released to."""
        return bool(self.record.get("old"))

    @property
    def inventory(self) -> Inventory:
        """The nodes of this lab; before there is one, those that every lab begins with."""
        if self.place.record.exists() and "hosts" in self.record:
            return Inventory.of(self.record["hosts"])
        return Inventory()

    @property
    def network(self) -> Network:
        return Network(self.place, self.record["subnet"], self.inventory)

    @property
    def layers(self) -> list[Path]:
        """Layers under every node's root; a lab can not be booted when one was removed."""
        return [Path(layer) for layer in self.record["layers"]]

    def address(self, name: str) -> str:
        return self.inventory.address(self.record["subnet"], name)

    def stand(self, wan_megabytes: float = WAN_MEGABYTES, **chosen: Any) -> bool:
        """Make the lab unless there is one, boot the nodes that are down, wait for minions.

        ``chosen`` goes into the record of a new lab, None for the usual: ``disk``, megabytes
        of each node's ``/usr/local``, ``scale``, the size of its first build, and ``old``,
        whether it is a cluster without the project; LabError when there is a lab of the other
        kind. A lab whose layers are gone can not be booted; a new one takes its place. Returns
        whether the lab is new.
        """
        debian.install(*_TOOLS)
        with self.place.locked():
            new = not self.place.record.exists() or not all(map(Path.is_dir, self.layers))
            if not new and chosen.get("old") and not self.old:
                raise LabError(f"this checkout has a lab already, and no old one; {_WAY_OUT}")
            if new:
                self._remove()
                self._make(chosen)
            self.network.up(wan_megabytes)
            self._boot(name for name, node in self.nodes.items() if node.init is None)
        self.wait_minions(self.nodes)
        return new

    def add(self, name: str, like: str) -> None:
        """A node of another's site and roles joins; returns when its minion answers.

        Nothing is made anew when it is there already.
        """
        with self.place.locked():
            inventory = self.inventory.joined(name, like)
            if inventory != self.inventory:
                self._lay(name, self.record | {"hosts": inventory.rows})
                self.note(hosts=inventory.rows)
                for node in self.nodes.values():
                    node.write("/etc/hosts", _hosts(self.record))
            self.network.up()
            if self.node(name).init is None:
                self._boot([name])
        self.wait_minions([name])

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
                "site": self.inventory.host(name).site,
                "up": name in up,
                "minion": name in answering,
            }
            for name in self.nodes
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
        return {name for name in self.nodes if self.address(name) in peers}

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
        Network(self.place, "", Inventory()).down()
        if self.place.state.exists():
            shutil.rmtree(self.place.state)

    def _make(self, chosen: Mapping[str, Any]) -> None:
        record = {
            **chosen,
            "checkout": str(self.place.checkout),
            "subnet": free_subnet(self.place),
            "layers": [str(layer) for layer in base.layers()],
            "hosts": Inventory().rows,
        }
        for host in HOSTS:
            self._lay(host.name, record)
        master = Node(self.place, MASTER)
        keys.lay_master(master)
        link = master.path("/etc/systemd/system/multi-user.target.wants/salt-master.service")
        link.parent.mkdir(parents=True)
        link.symlink_to("/lib/systemd/system/salt-master.service")
        # Written last: a lab without its record is one that was never finished.
        self.place.record.write_text(json.dumps(record, indent=2))

    def _lay(self, name: str, record: Mapping[str, Any]) -> None:
        """Give a node a new disk with its name and key, and the master the key."""
        node = Node(self.place, name)
        node.kill()
        shutil.rmtree(node.disk, ignore_errors=True)
        node.format([Path(layer) for layer in record["layers"]], record.get("disk"))
        node.write("/etc/hostname", f"{name}\n")
        # Without one systemd takes it for a machine's first boot, and enables what Debian enables.
        node.write("/etc/machine-id", f"{uuid.uuid4().hex}\n")
        node.write("/etc/hosts", _hosts(record))
        keys.lay_minion(node, Node(self.place, MASTER))

    def _boot(self, names: Iterable[str]) -> None:
        names = list(names)
        limits.widen()
        for name in names:
            self.node(name).kill()
            self.network.attach(name)
            self.node(name).boot(self.layers)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self.node(name).wait_booted(), names))


def _hosts(record: Mapping[str, Any]) -> str:
    inventory = Inventory.of(record["hosts"])
    lines = [f"{inventory.address(record['subnet'], name)} {name}" for name in inventory.names]
    return "\n".join(["127.0.0.1 localhost", *lines, ""])


def _stopped(node: Node) -> list[str]:
    """Services that are enabled for boot and do not run, or do not answer."""
    told = node.call("systemctl", "list-unit-files", "--type=service", "--state=enabled", "--plain",
                     "--no-legend")  # fmt: skip
    enabled = {line.split(".service")[0] for line in told.stdout.splitlines() if "@" not in line}
    if node.call("test", "-e", _LIVE_WEBAPP).returncode != 0:
        enabled.discard("wormbase-starman")
    return sorted(name for name in enabled if not _answers(node, name))


def _answers(node: Node, service: str) -> bool:
    if node.call("systemctl", "is-active", "--quiet", service).returncode != 0:
        return False
    page = _PAGES.get(service)
    return page is None or node.call("curl", "-s", "-m", "5", page).returncode == 0
