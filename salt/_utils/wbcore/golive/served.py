"""Whether what is served is one whole release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..names import Release, build_of_directory


def expected(links: Mapping[str, str]) -> dict[str, Any]:
    """What a node with these live links has to serve."""
    answer: dict[str, Any] = {}
    if "production" in links:
        release = Release.parse(links["production"])
        answer.update(release=str(release), webapp=release.webapp, revision=release.revision)
        if "acedb" in links:
            answer["acedb"] = str(build_of_directory(links["acedb"]))
    answer["mysql"] = {
        name.removeprefix("mysql/"): str(build_of_directory(target))
        for name, target in links.items()
        if name.startswith("mysql/")
    }
    return answer


def differences(version: Any, links: Mapping[str, str]) -> list[str]:
    """What of a report of what a node serves is not what the links promise, in words.

    version
        Whatever the servers answered: nobody has looked at it before.
    """
    if not isinstance(version, Mapping):
        return [f"it answers {version!r:.80} instead of its versions"]
    if version.get("error"):
        return [str(version["error"])]
    wanted = expected(links)
    databases = wanted.pop("mysql")
    found = version.get("mysql") or {}
    if not isinstance(found, Mapping):
        return [f"it answers {found!r:.80} instead of its MySQL databases"]
    wrong = [
        f"{key} is {version.get(key)!r} instead of {value!r}"
        for key, value in wanted.items()
        if str(version.get(key)) != str(value)
    ]
    return wrong + [
        f"MySQL's {name} is {found.get(name)!r} instead of {build!r}"
        for name, build in databases.items()
        if found.get(name) != build
    ]
