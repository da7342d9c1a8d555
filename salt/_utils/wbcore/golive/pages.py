"""What has to be in the pages of a webapp."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..names import Release

_COMPARED = ("release", "webapp", "revision", "acedb")


def text(pattern: str, release: Release) -> str:
    """The text that a page must contain, with ``{build}`` and ``{release}`` replaced."""
    return pattern.replace("{build}", str(release.build)).replace("{release}", str(release))


def disagreement(page: Any, report: Mapping[str, Any]) -> str:
    """What a webapp's own page on its versions says differently from its servers, in words;
    nothing if they agree. What the page leaves out is not compared."""
    if not isinstance(page, Mapping):
        return f"says {page!r:.80} instead of its versions"
    said, known = _flat(page), _flat(report)
    for key in said.keys() & known.keys():
        if str(said[key]) != str(known[key]):
            return f"says that {key} is {said[key]!r}, the servers say {known[key]!r}"
    return ""


def _flat(version: Mapping[str, Any]) -> dict[str, Any]:
    databases = version.get("mysql")
    each = databases.items() if isinstance(databases, Mapping) else ()
    found = {key: version[key] for key in _COMPARED if key in version}
    return {**found, **{f"MySQL's {name}": build for name, build in each}}
