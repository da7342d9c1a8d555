"""The links of the download tree: which of them leads to which build.

Source: docs/field.md, "The download tree".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..errors import BadRequest
from ..names import Build
from ..settings import Downloads

# What the site serves, and the newest build that landed.
PRODUCTION, DEVELOPMENT = "production", "development"
_KINDS = (PRODUCTION, DEVELOPMENT)


def targets(settings: Downloads, builds: Mapping[str, str]) -> dict[str, str]:
    """Pattern of a link's path → where it has to lead.

    builds
        ``production`` and ``development``, or one of them → the build that its links lead to.

    BadRequest for another kind, and for what is no build.
    """
    for kind in builds:
        if kind not in _KINDS:
            raise BadRequest(
                f"{kind[:80]!r} is no kind of download links", f"there are {' and '.join(_KINDS)}"
            )
    named = {kind: str(Build.parse(build)) for kind, build in builds.items()}
    return {
        pattern: target.replace("{build}", build)
        for kind, build in named.items()
        for pattern, target in getattr(settings, kind).items()
    }


def troubles(missing: Mapping[str, str], blocked: Iterable[str]) -> list[str]:
    """What keeps links from being set, a sentence each.

    missing
        Link → the target that is not there.
    blocked
        Links in whose place is something else than a link.
    """
    return [
        *(f"{link} is left as it is: its target {to} is not there" for link, to in missing.items()),
        *(f"{link} is left as it is: it is no link; move it away" for link in blocked),
    ]
