"""The links of the download tree on the development server, such as
``releases/current-production-release``.

Each is replaced by rename and never removed, so that no reader finds it missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import wbnode.epoch
import wbnode.minion
from wbcore.model import downloads

# Salt gives them to the module.
__opts__: dict[str, Any]
__pillar__: dict[str, Any]
__salt__: Mapping[str, Any]

__virtualname__ = "wb_download"


def __virtual__() -> str:
    return __virtualname__


@wbnode.minion.salt_errors
def look(builds: Mapping[str, str]) -> dict[str, Any]:
    """The links that the pillar names, and what they have to be.

    builds
        ``{production: …, development: …}``, or one of them: the builds to lead to.

    Returns ``{"have": {link: target}, "wanted": {link: target}, "missing": {link: target},
    "blocked": [link]}``, with paths below the tree. A link whose target is not there is
    ``missing``, one in whose place is something else is ``blocked``; neither is ``wanted``. Links
    whose folder is not there are left out.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_download.look '{production: WS221}'
    """
    tree = wbnode.minion.layout_of(__opts__).downloads
    settings = wbnode.minion.settings_of(__pillar__).downloads
    found: dict[str, Any] = {"have": {}, "wanted": {}, "missing": {}, "blocked": []}
    for pattern, target in downloads.targets(settings, builds).items():
        for link in _places(tree, pattern):
            name = str(link.relative_to(tree))
            if link.is_symlink():
                found["have"][name] = os.readlink(link)
            if link.exists() and not link.is_symlink():
                found["blocked"].append(name)
            elif not (link.parent / target).exists():
                found["missing"][name] = target
            else:
                found["wanted"][name] = target
    return found


@wbnode.minion.salt_errors
def follow(builds: Mapping[str, str], epoch: int | None = None) -> dict[str, Any]:
    """Let the links lead to builds; those that can not be set are left as they are.

    builds
        As :func:`look` takes them.
    epoch
        The epoch of the order; an order of an earlier one than this server was told last is
        refused. None for an order by hand.

    Returns ``{"links": [those that lead to the builds], "changed": {link: {"old", "new"}},
    "troubles": [sentence]}``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_download.follow '{production: WS221}'
    """
    layout = wbnode.minion.layout_of(__opts__)
    with wbnode.minion.alone(layout.switch_lock):
        wbnode.epoch.heed(layout, epoch)
        found = look(builds)
        changed = {}
        for name, target in found["wanted"].items():
            old = found["have"].get(name, "")
            if old != target:
                __salt__["file.symlink"](target, str(layout.downloads / name), atomic=True)
                changed[name] = {"old": old, "new": target}
    return {
        "links": list(found["wanted"]),
        "changed": changed,
        "troubles": downloads.troubles(found["missing"], found["blocked"]),
    }


def _places(tree: Path, pattern: str) -> Iterator[Path]:
    """Where the links of a pattern are, or would be."""
    folder, _, name = pattern.rpartition("/")
    for found in sorted(tree.glob(folder)) if folder else [tree]:
        if found.is_dir():
            yield found / name
