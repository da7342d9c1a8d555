"""What is in a build, in figures, for the gate on contents and for the announcement."""

from __future__ import annotations

from typing import Any

import wbnode.minion
from wbcore.names import Build
from wbnode.build import counting
from wbnode.build.sealing import Staging


@wbnode.minion.salt_errors
def measure(build: str, dry: bool = False) -> dict[str, Any]:
    """Count what is in a build, and keep it beside the manifest; counted once as it was sealed.

    Nothing of the build is changed: AceDB is asked by tace in a directory of links, MySQL's
    tables and BLAST databases tell it in the first bytes of their indexes.

    build
        Name of the build, such as ``WS221``.
    dry
        Keep nothing, and count a build that is not sealed yet as it lies there.

    Returns ``{"figures": {kind: {name: count}}, "missing": why}``: without figures, ``missing``
    says why there are none, since the build was purged, or changed after it was sealed, or
    never sealed here. BadData and StepFailed name what can not be counted.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_contents.measure WS221
    """
    name = Build.parse(build)
    staging = Staging(wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__))
    sealed = staging.manifest(name)
    if sealed is None:
        return _unsealed(staging, name) if dry else _none(f"{name} is not sealed here")
    figures = counting.kept(staging.layout, sealed)
    if not figures:
        if not staging.is_staged(name):
            return _none(f"{name} is not here any more")
        if changed := staging.changed(sealed):
            return _none(f"{changed[0]} is not what was sealed")
        figures = _measured(staging, name, sealed.databases, sealed.datasets)
        if not dry:
            counting.keep(staging.layout, sealed, figures)
    return {"figures": figures, "missing": ""}


def _unsealed(staging, name):
    """MySQL's links are those of the newest build; what an older one had nobody knows."""
    if name != max(staging.builds(), default=None):
        return _none(f"{name} is not the newest build here, and is not sealed")
    look = staging.look(name)
    return {"figures": _measured(staging, name, look.databases, look.found), "missing": ""}


def _measured(staging, name, databases, datasets):
    tace = staging.settings.acedb.tace
    return counting.measured(staging.layout, name, databases, datasets, tace)


def _none(why):
    return {"figures": {}, "missing": why}
