"""The nodes of a lab: site and roles of each (source: docs/field.md, "Hosts and roles")."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .command import LabError

MASTER, PROXY = "salt", "fe"
LOCAL = "local"
REMOTE = "remote"
WEB = ("acedb", "mysql", "support", "web")
FIRST_ADDRESS, LAST_ADDRESS = 10, 254
# Of these a cluster has exactly one each.
_SINGLE = {"staging", "proxy"}
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}[a-z0-9]")


@dataclass(frozen=True)
class Host:
    """A node as the lab sees it."""

    name: str
    site: str
    roles: tuple[str, ...]


HOSTS = (
    Host(MASTER, LOCAL, ()),
    Host("wb-dev", LOCAL, ("staging",)),
    Host(PROXY, LOCAL, ("proxy",)),
    Host("wb-web1", LOCAL, WEB),
    Host("wb-web2", LOCAL, WEB),
    Host("wb-mining", LOCAL, (*WEB, "mining")),
    Host("wb-gb1", LOCAL, ("mysql",)),
    Host("canopus", REMOTE, WEB),
)


@dataclass(frozen=True)
class Inventory:
    """The nodes of one lab, in the order in which they came; whoever joins comes last."""

    hosts: tuple[Host, ...] = HOSTS

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]]) -> Inventory:
        """The inventory that ``rows`` was taken from."""
        return cls(tuple(Host(row["name"], row["site"], tuple(row["roles"])) for row in rows))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Plain data for the lab's record."""
        return [asdict(host) for host in self.hosts]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(host.name for host in self.hosts)

    def host(self, name: str) -> Host:
        """The node of a name; LabError for any other name."""
        return self.hosts[self.number(name)]

    def number(self, name: str) -> int:
        """Place of a node in the list; link names and addresses are made from it."""
        if name not in self.names:
            raise LabError(f"no node is called {name!r}; there are {', '.join(self.names)}")
        return self.names.index(name)

    def address(self, subnet: str, name: str) -> str:
        """Address of a node in a subnet given as its first three numbers (``10.221.7``)."""
        return f"{subnet}.{FIRST_ADDRESS + self.number(name)}"

    def joined(self, name: str, like: str) -> Inventory:
        """This inventory with one more node, of the same site and roles as another.

        The same one when the node is there already, as it is wanted.
        """
        model = self.host(like)
        new = Host(name, model.site, model.roles)
        if new in self.hosts:
            return self
        if name in self.names or not _NAME.fullmatch(name):
            raise LabError(f"{name!r} can not be the name of a node like {like}")
        if not model.roles or _SINGLE & set(model.roles):
            raise LabError(f"a cluster has one node like {like}, and no second")
        if FIRST_ADDRESS + len(self.hosts) > LAST_ADDRESS:
            raise LabError("the lab has no address left")
        return Inventory((*self.hosts, new))
