"""Which old builds make room on the disks of a node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..datasets import Dataset
from ..names import Build
from .retention import Used
from .space import Need


@dataclass(frozen=True)
class Taken:
    """What a dataset takes of a node's disk: the device, bytes and inodes there."""

    device: str
    need: Need


@dataclass(frozen=True)
class Room:
    """How a node gets room.

    purge
        Build → its datasets that go, as many as it takes, or all that help a little where
        all together are not enough.
    freeable
        By device, what all that may go would free.
    short
        By device, what is lacking even then.
    """

    purge: Mapping[Build, tuple[str, ...]] = field(default_factory=dict)
    freeable: Mapping[str, Need] = field(default_factory=dict)
    short: Mapping[str, Need] = field(default_factory=dict)


def make_room(
    lacking: Mapping[str, Need],
    taken: Mapping[str, Taken],
    going: Iterable[Build],
    used: Iterable[Used],
) -> Room:
    """Room for what is lacking on a node.

    lacking
        By device, what is lacking there.
    taken
        The datasets on the node's disks.
    going
        The builds that may go, in the order in which they do: ``retention.may_go``. Builds
        go as long as something is lacking; one that frees nothing of it stays.
    used
        Whose datasets stay, also of a build that goes.
    """
    left = dict(lacking)
    freeable = dict.fromkeys(lacking, Need())
    chosen: dict[Build, tuple[str, ...]] = {}
    unused = _unused(taken, used)
    for build in going:
        datasets = unused.get(build, ())
        freed = _freed(datasets, taken, lacking)
        freeable = {device: freeable[device] + freed[device] for device in lacking}
        after = {device: left[device] - freed[device] for device in lacking}
        if after != left:
            chosen[build], left = tuple(datasets), after
    short = {device: need for device, need in left.items() if need}
    return Room(chosen, freeable, short)


def _unused(taken: Iterable[str], used: Iterable[Used]) -> dict[Build, list[str]]:
    """The datasets that nobody uses, by build."""
    needed = {dataset for one in used for dataset in one.datasets}
    unused: dict[Build, list[str]] = {}
    for dataset in sorted(taken):
        if dataset not in needed:
            unused.setdefault(Dataset.parse(dataset).build, []).append(dataset)
    return unused


def _freed(
    datasets: Iterable[str], taken: Mapping[str, Taken], devices: Iterable[str]
) -> dict[str, Need]:
    freed = dict.fromkeys(devices, Need())
    for dataset in datasets:
        one = taken[dataset]
        if one.device in freed:
            freed[one.device] += one.need
    return freed
