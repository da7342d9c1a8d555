"""Keys and settings that Salt's master and minions of a lab start with."""

from __future__ import annotations

import os
from pathlib import Path

from .base import SALT_USER
from .command import run
from .node import Node

_PKI = "/etc/salt/pki"
_FILES = Path(__file__).resolve().parent / "files"


def lay_master(master: Node) -> None:
    """Give the master, which is down, its settings and its key pair, after all nodes have theirs.

    All of it belongs to the user that it runs as, as with Salt's own package.
    """
    master.write("/etc/salt/master.d/lab.conf", (_FILES / "master.conf").read_text())
    _pair(master, "master")
    for folder in ("/etc/salt/master.d", f"{_PKI}/master"):
        top = master.path(folder)
        for path in (top, *top.rglob("*")):
            os.chown(path, SALT_USER, SALT_USER)


def lay_minion(node: Node, master: Node) -> None:
    """Give a node its settings, id and key pair, and the master the public key."""
    node.write("/etc/salt/minion_id", f"{node.name}\n")
    node.write("/etc/salt/minion.d/lab.conf", (_FILES / "minion.conf").read_text())
    accepted = f"{_PKI}/master/minions/{node.name}"
    master.write(accepted, _pair(node, "minion"))
    os.chown(master.path(accepted), SALT_USER, SALT_USER)


def _pair(node: Node, name: str) -> str:
    """Make a key pair on a node; returns the public key. (``salt-key --gen-keys`` fails.)"""
    folder = node.path(f"{_PKI}/{name}")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    private, public = folder / f"{name}.pem", folder / f"{name}.pub"
    run("openssl", "genrsa", "-traditional", "-out", private, "2048")
    run("openssl", "rsa", "-in", private, "-pubout", "-out", public)
    private.chmod(0o400)
    return public.read_text()
