"""Setting a service up on a node that is up."""

from __future__ import annotations

import os
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from ..command import LabError

if TYPE_CHECKING:
    from ..node import Node

FILES = Path(__file__).resolve().parent / "files"


def lay(node: Node, file: str, target: str, mode: int = 0o644, **values: str) -> None:
    """Write one of ``files/`` on the node, with ``$name`` replaced by values."""
    text = (FILES / file).read_text(encoding="utf-8")
    place = node.path(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.touch(mode=0o600)
    place.write_text(Template(text).safe_substitute(values), encoding="utf-8")
    os.chmod(place, mode)


def carry_out(node: Node, *command: str, stdin: str | None = None) -> str:
    """Run a command inside the node; LabError with its last words when it fails."""
    done = node.call(*command, stdin=stdin)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
        raise LabError(f"{' '.join(command)[:200]} failed on {node.name}: {' / '.join(said)}")
    return done.stdout


def start(node: Node, service: str) -> None:
    """Start a service now, with its new configuration, and at every boot."""
    carry_out(node, "systemctl", "daemon-reload")
    carry_out(node, "systemctl", "enable", service)
    carry_out(node, "systemctl", "restart", service)
