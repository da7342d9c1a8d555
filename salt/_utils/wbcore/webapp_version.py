"""The webapp's version, and the files that a release carries to say what it is.

Source: the wiki page, "Deploy software": the version is in ``lib/WormBase/Web.pm``; docs/field.md:
``VERSION.txt``, and ``wormbase.env`` from its template.
"""

from __future__ import annotations

import re

from .errors import BadData
from .names import DATE_FORMAT, Release

VERSION_FILE = "lib/WormBase/Web.pm"
VERSION_TEXT = "VERSION.txt"
_HASH = "CHANGESET_HASH"
_VERSION = re.compile(
    r"^\s*our\s+\$VERSION\s*=\s*(['\"]?)(?P<version>[0-9]+(?:\.[0-9]+)*)\1\s*;", re.MULTILINE
)


def webapp_version(module: str) -> str:
    """The version in the text of ``Web.pm`` (``our $VERSION = '0.02';``)."""
    found = {match["version"] for match in _VERSION.finditer(module)}
    if len(found) != 1:
        raise BadData(
            f"{VERSION_FILE} tells {'no' if not found else 'more than one'} version",
            "write one line like our $VERSION = '0.02'; and commit it",
        )
    return found.pop()


def version_text(release: Release, changeset: str) -> str:
    """The text of a release's ``VERSION.txt``.

    changeset
        The hash of the revision, 40 hex digits: its number stays when a commit is amended.
    """
    return (
        f"DATE={release.date.strftime(DATE_FORMAT)}\n"
        f"DATABASE_VERSION={release.build}\n"
        f"SOFTWARE_VERSION={release.webapp}\n"
        f"CHANGESET={release.revision}\n"
        f"{_HASH}={changeset}\n"
    )


def changeset_in(text: str) -> str:
    """The hash in a ``VERSION.txt``; empty in one from before it was recorded."""
    found = (line.partition("=") for line in text.splitlines())
    return next((value for key, _, value in found if key == _HASH), "")


def environment_text(template: str, app: str) -> str:
    """The text of ``wormbase.env``, from ``wormbase.env.template``."""
    return template.replace("[% app %]", app)
