"""Names of builds and releases, and their order.

Source: the wiki page, "Major Releases": ``WS221-2010.12.24-0.02-1350`` is the
database release, the date, the version of the webapp and its Mercurial revision.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import total_ordering

from .errors import BadRequest

_BUILD = re.compile(r"WS([1-9][0-9]{0,5})")
_WEBAPP = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_RELEASE = re.compile(
    rf"(?P<build>{_BUILD.pattern})-(?P<date>[0-9]{{4}}\.[0-9]{{2}}\.[0-9]{{2}})"
    rf"-(?P<webapp>{_WEBAPP.pattern})-(?P<revision>[0-9]+)"
)
_DIRECTORY = re.compile(rf".+_({_BUILD.pattern})")
DATE_FORMAT = "%Y.%m.%d"


@total_ordering
@dataclass(frozen=True)
class Build:
    """A database release staged on the development server, ordered by its number."""

    number: int

    @classmethod
    def parse(cls, text: object) -> Build:
        """The build that ``text`` names; BadRequest unless it is ``WS`` and a number."""
        match = _BUILD.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise BadRequest(
                f"{str(text)[:40]!r} is not the name of a build",
                "a build is WS and its number, such as WS221",
            )
        return cls(int(match[1]))

    def __str__(self) -> str:
        return f"WS{self.number}"

    def __lt__(self, other: Build) -> bool:
        return self.number < other.number


@dataclass(frozen=True)
class Release:
    """A build together with one revision of the webapp."""

    build: Build
    date: datetime.date
    webapp: str
    revision: int

    @classmethod
    def parse(cls, text: object) -> Release:
        """The release that ``text`` names; BadRequest unless it is a full release name."""
        match = _RELEASE.fullmatch(text) if isinstance(text, str) else None
        try:
            if match is None:
                raise ValueError
            date = datetime.date(*map(int, match["date"].split(".")))
        except ValueError:
            raise BadRequest(
                f"{str(text)[:60]!r} is not the name of a release",
                "a release is named like WS221-2010.12.24-0.02-1350",
            ) from None
        return cls(Build.parse(match["build"]), date, match["webapp"], int(match["revision"]))

    def __str__(self) -> str:
        return f"{self.build}-{self.date.strftime(DATE_FORMAT)}-{self.webapp}-{self.revision}"

    def same_content(self, other: Release) -> bool:
        """Whether both are the same build, webapp and revision, whatever the date."""
        return (self.build, self.webapp, self.revision) == (
            other.build,
            other.webapp,
            other.revision,
        )


def is_build(text: str) -> bool:
    """Whether ``text`` is the name of a build."""
    return _BUILD.fullmatch(text) is not None


def build_of_directory(name: str) -> Build | None:
    """The build in the name of a database directory (``c_elegans_WS221``), if any."""
    match = _DIRECTORY.fullmatch(name)
    return Build.parse(match[1]) if match else None
