"""Builds of real data: made, and staged on the lab's development server.

``stage`` is all that the lab needs; ``make`` makes a build without a lab.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..command import LabError
from ..place import held
from .genes import Step
from .making import make
from .staging import Staging

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..node import Node

STAGING = "wb-dev"
_SOCKET = "/run/mysqld/mysqld.sock"


def stage(
    lab: Cluster,
    build: str,
    scale: float | None = None,
    seed: int = 1,
    land: bool = False,
    lost: float = 0,
) -> dict[str, Any]:
    """Stage a build on wb-dev: what its lineage there, ``scale`` and ``seed`` make of it.

    Without ``scale`` it is that of the newest build there, or 1. ``land`` ends as the
    builders do, with the mark READY. AceDB lacks ``lost`` percent of the genes, which makes it
    a wrong build. Returns build, files, bytes and seconds.
    """
    began = time.monotonic()
    node = lab.node(STAGING)
    if node.init is None:
        raise LabError(f"{STAGING} is down; bin/lab start {STAGING}")
    try:
        with held(lab.place.state / "builds.lock"):
            made = _onto(node, build, scale, seed, land, lost)
    except OSError as error:
        raise LabError(f"{STAGING} could not take {build}, is it still up? {error}") from error
    sizes = [path.stat().st_size for path in made.rglob("*") if path.is_file()]
    seconds = round(time.monotonic() - began, 1)
    return {"build": build, "files": len(sizes), "bytes": sum(sizes), "seconds": seconds}


def into(
    root: Path, build: str, scale: float | None = None, seed: int = 1, lost: float = 0
) -> Path:
    """Stage a build below any root directory; returns where it was made."""
    number = _number(build)
    if scale is not None and scale <= 0:
        raise LabError(f"the scale of a build is more than 0, not {scale}")
    if not 0 <= lost <= 100:
        raise LabError(f"a build loses from 0 to 100 percent of its genes, not {lost}")
    staging = Staging(root)
    staging.refuse_older(number)
    lineage, before = staging.previous(number)
    made = make((*lineage, Step(number, seed)), scale or before or 1, lost)
    staging.put(made, build)
    return made


def _onto(node: Node, build: str, scale: float | None, seed: int, land: bool, lost: float) -> Path:
    root = Path(f"/proc/{node.init}/root")
    made = into(root, build, scale, seed, lost)
    if node.call("test", "-S", _SOCKET).returncode == 0:
        flushed = node.call("mariadb-admin", "flush-tables", timeout=30)
        if flushed.returncode != 0:
            raise LabError(f"MariaDB on {STAGING} does not flush its tables: {flushed.stderr}")
    if land:
        Staging(root).land(build)
    return made


def _number(build: str) -> int:
    found = re.fullmatch(r"WS([1-9][0-9]{0,5})", build)
    if not found:
        raise LabError(f"{build!r} is not the name of a build, which is like WS222")
    return int(found[1])
