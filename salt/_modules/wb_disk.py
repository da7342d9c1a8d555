"""Room on the disks of this node for the datasets of a release.

Source: the wiki page, step 1, "Check disk space".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wbnode
from wbcore import links
from wbcore.datasets import KINDS, Dataset
from wbcore.space import Disk, Need, shortfalls


@wbnode.told
def free() -> dict[str, dict[str, Any]]:
    """Of each kind of dataset: the device it lies on, bytes and inodes free there.

    ``inodes_free`` is None on a file system that makes inodes as they are needed.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_disk.free
    """
    disks = _disks()
    facts = {
        device: {
            "device": device,
            "bytes_free": disk.bytes_free,
            "bytes_total": disk.bytes_total,
            "inodes_free": disk.inodes_free,
        }
        for device, disk in disks.items()
    }
    return {kind: facts[_device(kind)] for kind in KINDS}


@wbnode.told
def check(datasets: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Whether datasets have room here, and what could be freed for them.

    datasets
        ``{id: {files, bytes}}`` of those that are to come; what is here already, whole or
        in part, is taken off.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_disk.check '{mysql/c_elegans_WS221: {files: 10, bytes: 1000000}}'
    """
    disks, needs = _disks(), {}
    held = __salt__["wb_dataset.held"]()
    for dataset, size in datasets.items():
        parsed = Dataset.parse(dataset)
        device = _device(parsed.kind)
        need = Need() if dataset in held else _still(parsed, size)
        needs[device] = needs.get(device, Need()) + need
    short = shortfalls(disks, needs, wbnode.settings_of(__pillar__).datasets.headroom_percent)
    return {
        "ok": not short,
        "need": sum(need.bytes for need in needs.values()),
        "free": sum(disks[device].bytes_free for device in needs),
        "need_inodes": sum(need.inodes for need in needs.values()),
        "problems": [_told(device, lacking) for device, lacking in short.items()],
        "purgeable": _purgeable(datasets),
    }


def _home(kind: str) -> Path:
    """The directory of a kind, or what of its path is there already."""
    home = wbnode.layout_of(__opts__).kind(kind)
    return next(path for path in (home, *home.parents) if path.exists())


def _device(kind: str) -> str:
    number = _home(kind).stat().st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def _disks() -> dict[str, Disk]:
    disks = {}
    for kind in KINDS:
        about = os.statvfs(_home(kind))
        inodes = (about.f_favail, about.f_files) if about.f_files else (None, None)
        size = about.f_frsize
        disks[_device(kind)] = Disk(about.f_bavail * size, about.f_blocks * size, *inodes)
    return disks


def _still(dataset: Dataset, size: Mapping[str, int]) -> Need:
    """What a dataset takes beyond what of it was fetched by a pull that did not end."""
    begun = wbnode.layout_of(__opts__).incoming(dataset)
    files = [path.lstat() for path in begun.rglob("*")] if begun.is_dir() else []
    there = sum(about.st_blocks * 512 for about in files)
    return Need(max(0, size["bytes"] - there), max(0, size["files"] + 1 - len(files)))


def _purgeable(wanted: Mapping[str, object]) -> dict[str, int]:
    """Datasets that no live link needs, and their bytes; the master decides what may go."""
    live = __salt__["wb_link.read"]()
    return {
        dataset: size["bytes"]
        for dataset, size in __salt__["wb_dataset.found"]().items()
        if dataset not in wanted and not links.why_live(Dataset.parse(dataset), live)
    }


def _told(device: str, lacking: Need) -> str:
    kinds = [kind for kind in KINDS if _device(kind) == device]
    what = [f"{lacking.bytes / 1e6:,.1f} MB"] if lacking.bytes else []
    what += [f"{lacking.inodes:,} inodes"] if lacking.inodes else []
    return f"the disk of {', '.join(kinds)} lacks {' and '.join(what)}"
