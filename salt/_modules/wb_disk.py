"""Room on the disks of this node for the datasets of a release.

Source: the wiki page, step 1, "Check disk space".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import wbnode.minion
from wbcore import links
from wbcore.datasets import KINDS, Dataset
from wbcore.space import Disk, Need, shortfalls


@wbnode.minion.told
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


@wbnode.minion.told
def check(datasets: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """Whether datasets have room here, and what could be removed for them.

    datasets
        ``{id: {files, bytes}}`` of those that are to come; what is here already, whole or
        in part, is taken off.

    Returns a dictionary: ``ok``; ``problems``, a sentence for each disk without room;
    ``disks``, by device ``{kinds, needs, has}`` with ``{bytes, inodes}``, where ``needs`` holds
    what has to stay free too; ``purgeable``, by dataset that no live link here needs
    ``{device, bytes, inodes}``. BadRequest for what is no dataset.

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
    headroom = wbnode.minion.settings_of(__pillar__).datasets.headroom_percent
    short = shortfalls(disks, needs, headroom)
    return {
        "ok": not short,
        "problems": [_told(device, lacking) for device, lacking in short.items()],
        "disks": {
            device: {
                "kinds": _kinds(device),
                "needs": asdict(disks[device].wanted(need, headroom)),
                "has": asdict(disks[device].free),
            }
            for device, need in needs.items()
        },
        "purgeable": _purgeable(datasets),
    }


def _home(kind: str) -> Path:
    """The directory of a kind, or what of its path is there already."""
    home = wbnode.minion.layout_of(__opts__).kind(kind)
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
    begun = wbnode.minion.layout_of(__opts__).incoming(dataset)
    files = [path.lstat() for path in begun.rglob("*")] if begun.is_dir() else []
    there = sum(about.st_blocks * 512 for about in files)
    return Need(max(0, size["bytes"] - there), max(0, size["files"] + 1 - len(files)))


def _purgeable(wanted: Mapping[str, object]) -> dict[str, dict[str, Any]]:
    """Datasets that no live link needs; the master decides which of them may go."""
    live = __salt__["wb_link.read"]()
    return {
        dataset: {
            "device": _device(Dataset.parse(dataset).kind),
            "bytes": size["bytes"],
            "inodes": size["files"] + 1,
        }
        for dataset, size in __salt__["wb_dataset.found"]().items()
        if dataset not in wanted and not links.why_live(Dataset.parse(dataset), live)
    }


def _kinds(device: str) -> list[str]:
    return [kind for kind in KINDS if _device(kind) == device]


def _told(device: str, lacking: Need) -> str:
    what = [f"{lacking.bytes / 1e6:,.1f} MB"] if lacking.bytes else []
    what += [f"{lacking.inodes:,} inodes"] if lacking.inodes else []
    return f"the disk of {', '.join(_kinds(device))} lacks {' and '.join(what)}"
