"""Whether a build may be right: its figures beside those of the live one.

A checksum can not see a build that is whole and wrong: half of the genes may never have been
loaded. Figures are counts by kind and by the name of what was counted, without the build in it:
``{"classes": {"Gene": 45045}, "rows": {"c_elegans/fdata": 987534}, …}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..names import Build
from ..settings import Settings, Tolerance

CLASSES, ROWS, SEQUENCES, LETTERS = "classes", "rows", "sequences", "letters"
FILES, BYTES = "files", "bytes"
KINDS = (CLASSES, ROWS, SEQUENCES, LETTERS, FILES, BYTES)
_WORDS = {CLASSES: "AceDB objects"}
_SHOWN = 5

Figures = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Difference:
    """A figure that is not what it was; ``now`` is None when there is no such thing any more."""

    kind: str
    name: str
    was: int
    now: int | None

    @property
    def share(self) -> float:
        """How much came or went, as a share of what was there."""
        return ((self.now or 0) - self.was) / self.was

    def __str__(self) -> str:
        words = f"{_WORDS.get(self.kind, self.kind)} of {self.name}: {self.was:,} -> "
        return words + ("gone" if self.now is None else f"{self.now:,} ({self.share:+.0%})")


def outside(was: Figures, now: Figures, settings: Settings) -> list[Difference]:
    """What is further from what it was than is allowed, what went before what came."""
    found = [
        Difference(kind, name, count, now.get(kind, {}).get(name))
        for kind in KINDS
        for name, count in was.get(kind, {}).items()
    ]
    return sorted((one for one in found if not _allowed(one, settings)), key=_gravity)


def allowed(one: Difference, settings: Settings) -> str:
    """How far a figure may be from what it was, in words."""
    if one.now is None:
        return "it has to be there"
    tolerance = _tolerance(one, settings)
    return f"-{tolerance.shrink}% to +{tolerance.grow}%, or less than {tolerance.least}"


def count(figures: Figures) -> int:
    """How many figures these are."""
    return sum(map(len, figures.values()))


def sentence(build: Build, live: Build | str, found: Sequence[Difference]) -> str:
    """Why a build is held."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    told = ", ".join(map(str, found[:_SHOWN]))
    return f"{build} is further from the live {live} than is allowed: {told}{more}"


def way_out(build: Build) -> str:
    """What to do about a build that is held and is right as it is."""
    return f"if it is right as it is, run salt-run wb_release.accept build={build} reason='…'"


def _allowed(one: Difference, settings: Settings) -> bool:
    if one.was == 0:
        return True
    if one.now is None:
        return False
    tolerance, change = _tolerance(one, settings), one.now - one.was
    if abs(change) < tolerance.least:
        return True
    percent = tolerance.grow if change > 0 else tolerance.shrink
    return abs(change) * 100 <= one.was * percent


def _tolerance(one: Difference, settings: Settings) -> Tolerance:
    for pattern, tolerance in settings.contents.exceptions.items():
        if fnmatchcase(f"{one.kind}/{one.name}", pattern):
            return tolerance
    by_kind = {
        CLASSES: settings.contents.classes,
        ROWS: settings.contents.rows,
        SEQUENCES: settings.contents.sequences,
        LETTERS: settings.contents.letters,
        FILES: settings.contents.files,
        BYTES: settings.contents.bytes,
    }
    return by_kind[one.kind]


def _gravity(one: Difference) -> tuple[bool, float, int]:
    return one.share > 0, -abs(one.share), KINDS.index(one.kind)
