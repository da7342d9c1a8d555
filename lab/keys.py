"""Keys and settings that Salt's master and minions of a new lab start with."""

from __future__ import annotations

from pathlib import Path

from .command import run
from .inventory import MASTER, NAMES
from .node import Node

_PKI = "etc/salt/pki"
_FILES = Path(__file__).resolve().parent / "files"


def lay(nodes: dict[str, Node]) -> None:
    """Give every node its settings, key pair and id, and the master the keys of all."""
    master = nodes[MASTER]
    master.write("/etc/salt/master.d/lab.conf", (_FILES / "master.conf").read_text())
    _pair(master.upper / _PKI / "master", "master")
    trusted = {name: _pair(node.upper / _PKI / "minion", "minion") for name, node in nodes.items()}
    for name in NAMES:
        master.write(f"{_PKI}/master/minions/{name}", trusted[name])
        nodes[name].write("/etc/salt/minion_id", f"{name}\n")
        nodes[name].write("/etc/salt/minion.d/lab.conf", (_FILES / "minion.conf").read_text())


def _pair(folder: Path, name: str) -> str:
    """Make a key pair in a folder; returns the public key. (``salt-key --gen-keys`` fails.)"""
    folder.mkdir(parents=True, mode=0o700)
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    run("openssl", "genrsa", "-traditional", "-out", private, "2048")
    run("openssl", "rsa", "-in", private, "-pubout", "-out", public)
    private.chmod(0o400)
    return public.read_text()
