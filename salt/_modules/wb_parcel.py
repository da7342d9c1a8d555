"""Parcels on the development server: patches by which a build travels, made once for all nodes."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import wbnode.minion
from wbcore.build import manifest as manifests
from wbcore.datasets import Dataset
from wbcore.errors import BadRequest
from wbcore.transport import parcels
from wbcore.transport.parcels import Step
from wbnode.build.sealing import Staging
from wbnode.transport import progress
from wbnode.transport.make_parcels import Maker

STEP = "make_parcels"


@wbnode.minion.salt_errors
def make(name: str, wanted: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Make the parcels of a sealed build, unless they are made; those of other builds go.

    name
        The build, which has to be sealed.
    wanted
        ``{dataset, base, digest}``: the base is what nodes hold, with its digest.

    Returns ``{"parcels": {dataset: {base: {"bytes", "scratch"}}}, "without": {base: reason}}``;
    ``scratch`` are the bytes that a node needs beside the dataset while it makes it. Nodes with
    a base that is without fetch with rsync; so it is where the disk has no room for a parcel.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_parcel.make WS221 \\
            '[{dataset: mysql/c_elegans_WS221, base: mysql/c_elegans_WS220, digest: 9f86d0…}]'
    """
    build, staging = manifests.parse_name(name), _staging()
    sealed = staging.manifest(build)
    if sealed is None:
        raise BadRequest(f"{name} is not sealed", f"seal it first: wb_build.seal {name}")
    pairs = [_pair(one) for one in wanted]
    steps: list[Step] = []
    without: dict[str, str] = {}
    for dataset, base, digest in pairs:
        before = staging.sealed_contents(base)
        if before is None or before.digest != digest:
            without[str(base)] = "it is not here as the nodes hold it"
        elif changed := before.changed(staging.find([base])[base]):
            without[str(base)] = f"{manifests.shown(changed[0])} is not what was sealed"
        else:
            steps.append(Step.between(dataset, base, sealed.of(dataset), before))
    made: dict[str, dict[str, dict[str, int]]] = {}
    maker = Maker(staging.layout, staging.settings)
    meter_of = functools.partial(progress.meter, __salt__["event.send"], __opts__, build, STEP)
    for step, parcel in zip(steps, maker.make(steps, meter_of), strict=True):
        if parcel is None:
            without[str(step.base)] = f"the disk of {staging.layout.parcels} has no room for it"
            continue
        facts = {"bytes": maker.size(parcel), "scratch": parcel.scratch(step.contents)}
        made.setdefault(str(step.dataset), {})[str(step.base)] = facts
    return {"parcels": made, "without": without}


def _pair(value: Mapping[str, str]) -> tuple[Dataset, Dataset, str]:
    dataset, base = Dataset.parse(value["dataset"]), Dataset.parse(value["base"])
    if not parcels.can_have(dataset, base):
        raise BadRequest(
            f"{base} is not an earlier version of {dataset}", "name the same thing of two builds"
        )
    return dataset, base, manifests.parse_digest(value["digest"])


def _staging() -> Staging:
    return Staging(wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__))
