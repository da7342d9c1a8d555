"""The nodes of the lab: site and roles of each (source: FIELD, "Hosts and roles")."""

from __future__ import annotations

from dataclasses import dataclass

MASTER = "salt"
LOCAL = "local"
REMOTE = "remote"
WEB = ("acedb", "mysql", "support", "web")


@dataclass(frozen=True)
class Host:
    """A node as the lab sees it."""

    name: str
    site: str
    roles: tuple[str, ...]


HOSTS = (
    Host(MASTER, LOCAL, ()),
    Host("wb-dev", LOCAL, ("staging",)),
    Host("fe", LOCAL, ("proxy",)),
    Host("wb-web1", LOCAL, WEB),
    Host("wb-web2", LOCAL, WEB),
    Host("wb-mining", LOCAL, (*WEB, "mining")),
    Host("wb-gb1", LOCAL, ("mysql",)),
    Host("canopus", REMOTE, WEB),
)
NAMES = tuple(host.name for host in HOSTS)
FIRST_ADDRESS = 10


def number(name: str) -> int:
    """Place of a node in the list; link names and addresses are made from it."""
    return NAMES.index(name)


def host(name: str) -> Host:
    """The node of a name."""
    return HOSTS[number(name)]


def address(subnet: str, name: str) -> str:
    """Address of a node in a subnet given as its first three numbers (``10.221.7``)."""
    return f"{subnet}.{FIRST_ADDRESS + number(name)}"
