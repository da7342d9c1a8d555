"""Whether datasets have room on the disks of a node, in bytes and in inodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Disk:
    """A file system; ``inodes_free`` is None where inodes are made as they are needed."""

    bytes_free: int
    bytes_total: int
    inodes_free: int | None
    inodes_total: int | None


@dataclass(frozen=True)
class Need:
    """What datasets take: bytes, and inodes (files and their folders)."""

    bytes: int = 0
    inodes: int = 0

    def __add__(self, other: Need) -> Need:
        return Need(self.bytes + other.bytes, self.inodes + other.inodes)


def shortfalls(
    disks: Mapping[str, Disk], needs: Mapping[str, Need], headroom_percent: int
) -> dict[str, Need]:
    """By device, what is lacking once ``headroom_percent`` of it stay free."""
    short = {}
    for device, need in needs.items():
        disk = disks[device]
        keep = disk.bytes_total * headroom_percent // 100
        lacking = Need(
            max(0, need.bytes + keep - disk.bytes_free),
            0
            if disk.inodes_free is None or disk.inodes_total is None
            else max(
                0,
                need.inodes + disk.inodes_total * headroom_percent // 100 - disk.inodes_free,
            ),
        )
        if need != Need() and lacking != Need():
            short[device] = lacking
    return short
