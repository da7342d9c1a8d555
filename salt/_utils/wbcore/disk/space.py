"""Whether datasets have room on the disks of a node, in bytes and in inodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..datasets import Dataset


@dataclass(frozen=True)
class Need:
    """What datasets take: bytes, and inodes (files and their folders)."""

    bytes: int = 0
    inodes: int = 0

    def __add__(self, other: Need) -> Need:
        return Need(self.bytes + other.bytes, self.inodes + other.inodes)

    def __sub__(self, other: Need) -> Need:
        """What is left of it; never less than nothing."""
        return Need(max(0, self.bytes - other.bytes), max(0, self.inodes - other.inodes))

    def __bool__(self) -> bool:
        return self != Need()


@dataclass(frozen=True)
class Disk:
    """A file system; ``inodes_free`` is None where inodes are made as they are needed."""

    bytes_free: int
    bytes_total: int
    inodes_free: int | None
    inodes_total: int | None

    @property
    def free(self) -> Need:
        """What is free; no inodes where they are made as they are needed."""
        return Need(self.bytes_free, self.inodes_free or 0)

    def kept(self, percent: int) -> Need:
        """So many percent of it."""
        return Need(
            self.bytes_total * percent // 100,
            (self.inodes_total or 0) * percent // 100,
        )

    def wanted(self, need: Need, headroom_percent: int) -> Need:
        """What has to be free for a need, so that ``headroom_percent`` of the disk stay free."""
        if not need:
            return Need()
        wanted = need + self.kept(headroom_percent)
        return wanted if self.inodes_total is not None else Need(wanted.bytes)


def shortfalls(
    disks: Mapping[str, Disk], needs: Mapping[str, Need], headroom_percent: int
) -> dict[str, Need]:
    """By device, what is lacking once ``headroom_percent`` of it stay free."""
    lacking = {
        device: disks[device].wanted(need, headroom_percent) - disks[device].free
        for device, need in needs.items()
    }
    return {device: need for device, need in lacking.items() if need}


def below_floor(
    disks: Iterable[Mapping[str, Any]], percent: int, coming: Mapping[str, int]
) -> dict[str, Need]:
    """By device, what is lacking to have ``percent`` of it free.

    disks
        As ``wb_disk.free`` tells of them.
    coming
        By device, the bytes that are still to come (below 0: to go).
    """
    lacking = {
        disk["device"]: disk["bytes_total"] * percent // 100
        - disk["bytes_free"]
        + coming.get(disk["device"], 0)
        for disk in disks
    }
    return {device: Need(max(0, count)) for device, count in lacking.items()}


def by_device(free: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, int]) -> dict[str, int]:
    """Device → bytes of datasets on it, 0 for a disk that has none of them.

    free
        As ``wb_disk.free`` tells: kind of dataset → its disk; kinds may share one.
    sizes
        Dataset → bytes.
    """
    total = {disk["device"]: 0 for disk in free.values()}
    for dataset, count in sizes.items():
        total[free[Dataset.parse(dataset).kind]["device"]] += count
    return total


def left_on_fullest(free: Mapping[str, Mapping[str, Any]], coming: Mapping[str, int]) -> int:
    """Bytes that stay free on the disk that has the least when datasets have come.

    free
        As ``wb_disk.free`` tells: kind of dataset → its disk; at least one.
    coming
        Dataset → bytes.
    """
    taken = by_device(free, coming)
    return min(int(disk["bytes_free"]) - taken[disk["device"]] for disk in free.values())
