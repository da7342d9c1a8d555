"""Room on the disks of this node for the datasets of a release.

Source: the wiki page, step 1, "Check disk space".
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import wbnode.files
import wbnode.minion
from wbcore.datasets import KINDS, Dataset
from wbcore.disk.space import Disk, Need, shortfalls
from wbcore.model import links


@wbnode.minion.salt_errors
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


@wbnode.minion.salt_errors
def check(datasets: Mapping[str, Mapping[str, int]], parcels: int = 0) -> dict[str, Any]:
    """Whether datasets have room here, and what could be removed for them.

    datasets
        ``{id: {files, bytes, scratch}}`` of those that are to come; what is here already,
        whole or in part, is taken off. ``scratch`` are the bytes of work in progress, one
        dataset after another, and may be missing.
    parcels
        Bytes of the parcels by which they come; they lie below ``/var``, as manifests do.

    Returns a dictionary: ``ok``; ``problems``, a sentence for each disk without room;
    ``disks``, by device ``{kinds, needs, has}`` with ``{bytes, inodes}``, where ``needs`` holds
    what has to stay free too; ``purgeable``, by dataset that no live link here needs
    ``{device, bytes, inodes}``. BadRequest for what is no dataset.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_disk.check '{mysql/c_elegans_WS221: {files: 10, bytes: 1000000}}'
    """
    held = __salt__["wb_dataset.held"]()
    sizes = {Dataset.parse(one): size for one, size in datasets.items() if one not in held}
    disks, needs = _disks(), _needs(sizes)
    needs[_device(_STATE)] = needs.get(_device(_STATE), Need()) + _beside(sizes, parcels)
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


# What a manifest says of a file takes at most so many bytes, but for very long names.
_LINE_BYTES = 256
# The automation's own directory, where manifests and parcels lie.
_STATE = "parcels"


def _needs(sizes: Mapping[Dataset, Mapping[str, int]]) -> dict[str, Need]:
    """By device, what datasets take while they are made, one after another, and afterwards."""
    needs: dict[str, Need] = {}
    scratch: dict[str, int] = {}
    for dataset, size in sizes.items():
        device = _device(dataset.kind)
        needs[device] = needs.get(device, Need()) + _still(dataset, size)
        scratch[device] = max(scratch.get(device, 0), size.get("scratch", 0))
    return {device: need + Need(scratch[device]) for device, need in needs.items()}


def _beside(sizes: Mapping[Dataset, Mapping[str, int]], parcels: int) -> Need:
    """What the manifest and the parcels of datasets take, without the parcels that are here:
    those of the same build count, and those of others go first."""
    lines = sum(size["files"] for size in sizes.values())
    here = wbnode.files.scan(wbnode.minion.layout_of(__opts__).parcels, ())
    return Need(lines * _LINE_BYTES + max(0, parcels - here.bytes))


def _home(kind: str) -> Path:
    """The directory of a kind, or of the automation, or what of its path is there already."""
    layout = wbnode.minion.layout_of(__opts__)
    home = layout.parcels if kind == _STATE else layout.kind(kind)
    return next(path for path in (home, *home.parents) if path.exists())


def _device(kind: str) -> str:
    number = _home(kind).stat().st_dev
    return f"{os.major(number)}:{os.minor(number)}"


def _disks() -> dict[str, Disk]:
    disks = {}
    for kind in (*KINDS, _STATE):
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
    return [kind for kind in (*KINDS, _STATE) if _device(kind) == device]


def _told(device: str, lacking: Need) -> str:
    what = [f"{lacking.bytes / 1e6:,.1f} MB"] if lacking.bytes else []
    what += [f"{lacking.inodes:,} inodes"] if lacking.inodes else []
    return f"the disk of {', '.join(_kinds(device))} lacks {' and '.join(what)}"
