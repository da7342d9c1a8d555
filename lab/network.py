"""The lab's network: two sites, each a bridge, joined by one slow link (the WAN).

Every link is a veth pair or a bridge of this machine whose name begins with the lab's
prefix. The machine itself has an address in the lab, so nodes are reached from it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .command import LabError, run
from .inventory import LOCAL, REMOTE, Inventory
from .place import STATE, Place

WAN_MEGABYTES = 5.0
_SYSFS = Path("/sys/class/net")


@dataclass(frozen=True)
class Network:
    """The links of one lab; ``subnet`` is the first three numbers of its /24."""

    place: Place
    subnet: str
    inventory: Inventory

    def bridge(self, site: str) -> str:
        return f"{self.place.prefix}-b{site[0]}"

    def wan(self, site: str) -> str:
        """The end of the WAN at a site; what it sends is what the site sends."""
        return f"{self.place.prefix}-w{site[0]}"

    def port(self, node: str) -> str:
        """The machine's end of a node's link."""
        return f"{self.place.prefix}-{self.inventory.number(node)}"

    def up(self, megabytes: float = WAN_MEGABYTES) -> None:
        """Bridges, WAN, the machine's own address and the table for cuts."""
        for number_of_site, site in enumerate((LOCAL, REMOTE)):
            if not (_SYSFS / self.bridge(site)).exists():
                run("ip", "link", "add", self.bridge(site), "address",
                    _hardware(f"{self.subnet}.{number_of_site}"), "type", "bridge")  # fmt: skip
            run("ip", "link", "set", self.bridge(site), "up")
        run("ip", "address", "replace", f"{self.subnet}.1/24", "dev", self.bridge(LOCAL))
        if not (_SYSFS / self.wan(LOCAL)).exists():
            run("ip", "link", "add", self.wan(LOCAL), "type", "veth", "peer", self.wan(REMOTE))
            self.limit(megabytes)
        for site in (LOCAL, REMOTE):
            run("ip", "link", "set", self.wan(site), "master", self.bridge(site), "up")
        run("nft", "-f", "-", stdin=self._table())

    def limit(self, megabytes: float) -> None:
        """Let the WAN carry so many megabytes a second, each way."""
        for site in (LOCAL, REMOTE):
            run("tc", "qdisc", "replace", "dev", self.wan(site), "root", "tbf",
                "rate", f"{round(megabytes * 8000)}kbit", "burst", "64kb",
                "latency", "400ms")  # fmt: skip

    def carried(self) -> dict[str, int]:
        """Bytes that each site has sent over the WAN since the lab is up."""
        return {
            site: int((_SYSFS / self.wan(site) / "statistics/tx_bytes").read_text())
            for site in (LOCAL, REMOTE)
        }

    def carried_by_node(self) -> dict[str, int]:
        """Bytes that crossed the WAN, either way, for each node of the remote site.

        (Of packets as a bridge sees them: without the 14 bytes of Ethernet around each.)
        """
        counted = {each["val"]: each["counter"]["bytes"] for each in self._elements("crossing")}
        return {name: counted.get(self.port(name), 0) for name in self._remote()}

    def attach(self, node: str) -> None:
        """Give a node its namespace, link and address, new ones when some are left over."""
        self.detach(node)
        space, port, peer = self.place.namespace(node), self.port(node), f"{self.port(node)}n"
        inside = ("ip", "-n", space)
        run("ip", "netns", "add", space)
        run("ip", "link", "add", port, "type", "veth", "peer", peer, "address",
            _hardware(self._address(node)))  # fmt: skip
        run("ip", "link", "set", peer, "netns", space, "name", "eth0")
        run("ip", "link", "set", port, "master", self.bridge(self.inventory.host(node).site), "up")
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "address", "add", f"{self._address(node)}/24", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")

    def detach(self, node: str) -> None:
        """Remove a node's link and namespace."""
        run("ip", "link", "delete", self.port(node), check=False)
        run("ip", "netns", "delete", self.place.namespace(node), check=False)

    def cut(self, node: str) -> None:
        """Nothing gets to the node or away from it any more."""
        run("nft", "add", "element", "bridge", self.place.prefix, "cut", f"{{ {self.port(node)} }}")

    def heal(self, node: str) -> None:
        """Undo ``cut``; nothing happens when the node is not cut."""
        if node in self.cuts():
            run("nft", "delete", "element", "bridge", self.place.prefix, "cut",
                f"{{ {self.port(node)} }}")  # fmt: skip

    def cuts(self) -> set[str]:
        """Nodes that are cut."""
        ports = self._elements("cut")
        return {name for name in self.inventory.names if self.port(name) in ports}

    def down(self) -> None:
        """Remove every link, namespace and table whose name begins with the lab's prefix."""
        for space in namespaces(self.place):
            run("ip", "netns", "delete", space, check=False)
        for link in sorted(path.name for path in _SYSFS.glob(f"{self.place.prefix}-*")):
            run("ip", "link", "delete", link, check=False)
        run("nft", "delete", "table", "bridge", self.place.prefix, check=False)

    def _address(self, node: str) -> str:
        return self.inventory.address(self.subnet, node)

    def _remote(self) -> list[str]:
        return [host.name for host in self.inventory.hosts if host.site == REMOTE]

    def _elements(self, name: str) -> list[Any]:
        """What a set of the table holds; ``val`` and ``counter`` where elements are counted."""
        told = run("nft", "-j", "list", "set", "bridge", self.place.prefix, name, check=False)
        parts = json.loads(told)["nftables"] if told else []
        found = [each for part in parts for each in part.get("set", {}).get("elem", [])]
        return [each["elem"] if isinstance(each, dict) else each for each in found]

    def _table(self) -> str:
        ports = ", ".join(self.port(name) for name in self._remote())
        wan = self.wan(REMOTE)
        return f"""table bridge {self.place.prefix} {{
            set cut {{ type ifname; }}
            set crossing {{ type ifname; counter; }}
            chain arriving {{
                type filter hook prerouting priority 0;
            }}
            chain leaving {{
                type filter hook postrouting priority 0;
            }}
            chain crossed {{
                type filter hook forward priority 0;
            }}
        }}
        add element bridge {self.place.prefix} crossing {{ {ports} }}
        flush chain bridge {self.place.prefix} arriving
        flush chain bridge {self.place.prefix} leaving
        flush chain bridge {self.place.prefix} crossed
        add rule bridge {self.place.prefix} arriving iifname @cut drop
        add rule bridge {self.place.prefix} leaving oifname @cut drop
        add rule bridge {self.place.prefix} crossed iifname {wan} oifname @crossing
        add rule bridge {self.place.prefix} crossed oifname {wan} iifname @crossing
        """


def _hardware(address: str) -> str:
    """A hardware address that stays over a power cut, since its neighbours remember it."""
    return ":".join(f"{int(part):02x}" for part in f"2.{address}.0".split("."))


def namespaces(place: Place) -> list[str]:
    """Names of the lab's network namespaces that exist."""
    return sorted(path.name for path in Path("/run/netns").glob(f"{place.prefix}-*"))


def free_subnet(place: Place) -> str:
    """A /24 that neither this machine nor another lab uses, as its first three numbers.

    The same checkout gets the same one as long as it is free.
    """
    taken = [ipaddress.ip_network(known) for known in _known_networks()]
    first = int(hashlib.sha256(place.id.encode()).hexdigest(), 16)
    for step in range(254):
        subnet = f"10.221.{1 + (first + step) % 254}"
        wanted = ipaddress.ip_network(f"{subnet}.0/24")
        if not any(wanted.overlaps(other) for other in taken):
            return subnet
    raise LabError("no subnet of 10.221.0.0/16 is free; take down labs that are not needed")


def _known_networks() -> list[str]:
    routes = json.loads(run("ip", "-j", "-4", "route", "show", "table", "all") or "[]")
    known = [route["dst"] for route in routes if route.get("dst", "default") != "default"]
    for record in STATE.glob("*/lab.json"):
        known.append(json.loads(record.read_text())["subnet"] + ".0/24")
    return known
