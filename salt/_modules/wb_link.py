"""The live links of this node: which directory each leads to, and switching them.

A link is replaced by rename and never removed, so that no reader finds it missing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import wbnode.dataset_store
import wbnode.minion
from wbcore.datasets import ACEDB, MYSQL
from wbcore.errors import BadRequest
from wbcore.model import links as rules
from wbcore.transport.ownership import ownership


@wbnode.minion.salt_errors
def read() -> dict[str, str]:
    """Every live link here and the directory that it leads to.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_link.read
    """
    layout = wbnode.minion.layout_of(__opts__)
    databases = (path for path in layout.kind(MYSQL).glob("[!.]*") if path.is_symlink())
    names = [ACEDB, rules.PRODUCTION, *(f"{MYSQL}/{path.name}" for path in databases)]
    paths = {name: layout.link(name) for name in names}
    return {name: _target(path) for name, path in paths.items() if path.is_symlink()}


@wbnode.minion.salt_errors
def switch(links: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Let each link lead to another dataset; what was changed, old and new.

    All are checked before the first is replaced: BadRequest names one that would lead to
    something missing or unverified.

    links
        ``{link: directory}``, as :func:`read` returns them.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_link.switch '{acedb: wormbase_WS221, mysql/c_elegans: c_elegans_WS221}'
    """
    layout, now = wbnode.minion.layout_of(__opts__), read()
    targets = {name: rules.dataset_of(name, target) for name, target in links.items()}
    held = __salt__["wb_dataset.held"]()
    for name, dataset in targets.items():
        if str(dataset) not in held:
            raise BadRequest(
                f"the link {name} can not lead to {dataset}, which is not here and verified",
                "push its build to this node first: orch.push",
            )
        if layout.link(name).exists() and not layout.link(name).is_symlink():
            raise BadRequest(
                f"{layout.link(name)} is no link but a directory", "move it out of the way"
            )
    owners = {kind: _owner(kind) for kind in {dataset.kind for dataset in targets.values()}}
    changed = {}
    for name, dataset in targets.items():
        if now.get(name) != dataset.name:
            __salt__["file.symlink"](dataset.name, str(layout.link(name)), atomic=True)
            changed[name] = {"old": now.get(name, ""), "new": dataset.name}
        os.lchown(layout.link(name), *owners[dataset.kind])
    return changed


def _target(link: Path) -> str:
    """The directory beside the link, or the path as it is when it is elsewhere."""
    target = os.readlink(link)
    beside = os.path.normpath(link.parent / target)
    return os.path.basename(beside) if os.path.dirname(beside) == str(link.parent) else target


def _owner(kind: str) -> tuple[int, int]:
    return wbnode.dataset_store.ids(ownership(wbnode.minion.settings_of(__pillar__), kind))
