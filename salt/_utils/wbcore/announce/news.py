"""What is new in a build: how it differs from the one that was live before it, in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..build.manifest import Manifest
from ..build.tolerances import CLASSES, Figures
from ..datasets import ACEDB, MYSQL, SUPPORT

_WIDTH = 72
_KINDS = {ACEDB: "AceDB", MYSQL: "MySQL", SUPPORT: "support databases"}


@dataclass(frozen=True)
class Stock:
    """What a build is made of: its MySQL databases with their directories, bytes by kind of
    dataset, objects by class of AceDB (none if they were never counted)."""

    name: str
    databases: Mapping[str, str]
    bytes: Mapping[str, int]
    classes: Mapping[str, int]

    @classmethod
    def of(cls, manifest: Manifest, figures: Figures) -> Stock:
        """That of a sealed build."""
        total = dict.fromkeys(_KINDS, 0)
        for dataset, contents in manifest.datasets.items():
            total[dataset.kind] += contents.bytes
        return cls(str(manifest.name), manifest.databases, total, figures.get(CLASSES, {}))


def news(was: Stock, now: Stock) -> str:
    """The paragraphs between the letter and the release notes."""
    parts = [f"What is new since {was.name}", "\n".join(_databases(was, now))]
    if was.classes and now.classes:
        parts.append(_classes(was, now))
    sizes = [
        (words, _size(was.bytes[kind]), _size(now.bytes[kind])) for kind, words in _KINDS.items()
    ]
    parts.append(_table("Sizes", was, now, sizes))
    return "\n\n".join(parts)


def _databases(was: Stock, now: Stock) -> Iterator[str]:
    new = [name for name, place in now.databases.items() if was.databases.get(name) != place]
    gone = sorted(was.databases.keys() - now.databases.keys())
    yield f"MySQL databases rebuilt: {len(new)} of {len(now.databases)}"
    for words, names in (("", sorted(new)), ("no longer there: ", gone)):
        if names:
            yield textwrap.indent(textwrap.fill(words + ", ".join(names), _WIDTH - 2), "  ")


def _classes(was: Stock, now: Stock) -> str:
    changed = [
        (name, f"{was.classes.get(name, 0):,}", f"{now.classes.get(name, 0):,}")
        for name in sorted(was.classes.keys() | now.classes.keys())
        if was.classes.get(name) != now.classes.get(name)
    ]
    if not changed:
        return "No class of AceDB has another number of objects."
    return _table("Objects of AceDB, where their number changed", was, now, changed)


def _table(title: str, was: Stock, now: Stock, rows: Sequence[tuple[str, str, str]]) -> str:
    return "\n".join(
        f"{name:<44}{before:>14}{after:>14}"
        for name, before, after in (
            (title, was.name, now.name),
            *((f"  {name}", before, after) for name, before, after in rows),
        )
    )


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"
