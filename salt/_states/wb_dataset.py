"""Datasets that have to be on a node, complete and verified.

.. code-block:: yaml

    the datasets of WS221-2010.12.24-0.02-1350 are here:
      wb_dataset.present:
        - manifests: {WS221: 6f0c…, WS221-2010.12.24-0.02-1350: 51d2…}
        - datasets: [acedb/wormbase_WS221, webapp/WS221-2010.12.24-0.02-1350]
        - sources: [{node: wb-dev, address: 10.0.0.11}]
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import wbnode.state
from wbcore.datasets import WEBAPP, Dataset
from wbcore.errors import StepFailed
from wbcore.names import Release
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_dataset"
_VERIFIED, _TOUCHED, _UNKNOWN = "verified", "touched", "of another sealing"


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def present(
    name: str,
    manifests: Mapping[str, str],
    datasets: Sequence[str],
    sources: Sequence[Mapping[str, str]],
) -> State:
    """Make sure that these datasets are here and verified.

    One whose marker vouches for it is not read; one in which a name came or went since is, and
    what is wrong with it is put right where it lies. While the node does not have the manifests
    of these digests, nobody knows whether what has the right name has the right bytes.

    manifests
        Digest of each manifest by its name: that of the release lists the webapp, that of
        the build everything else.
    datasets
        Ids of the datasets.
    sources
        ``[{node, address}]`` in the order to try.
    """

    def read() -> dict[str, Any]:
        held = dict.fromkeys(__salt__["wb_dataset.held"](), _VERIFIED)
        here = [dataset for dataset in datasets if dataset in held]
        touched = __salt__["wb_dataset.touched"](here)
        return {**held, **dict.fromkeys(touched, _TOUCHED), **dict.fromkeys(unsure(here), _UNKNOWN)}

    def unsure(some: Iterable[str]) -> list[str]:
        unknown = __salt__["wb_dataset.unknown"](manifests)
        return [one for one in some if any(_lists(manifest, one) for manifest in unknown)]

    def fetch(wrong: Mapping[str, Any]) -> None:
        others = unsure(wrong)
        touched = __salt__["wb_dataset.touched"]([one for one in wrong if one not in others])
        for dataset, found in __salt__["wb_dataset.verify"](touched).items() if touched else ():
            if found["error"]:
                raise StepFailed(f"{dataset}: {found['error']}", "it is tried again")
        missing = [dataset for dataset in wrong if dataset not in touched]
        for manifest, digest in manifests.items():
            listed = [dataset for dataset in missing if _lists(manifest, dataset)]
            if listed:
                __salt__["wb_dataset.pull"](manifest, digest, listed, sources, "enforce")

    wanted = dict.fromkeys(datasets, _VERIFIED)
    return wbnode.state.reach(name, __opts__["test"], read, wanted, fetch)


def _lists(manifest: str, dataset: str) -> bool:
    """Whether a manifest is the one that lists a dataset."""
    of_release = "-" in manifest
    if of_release:
        Release.parse(manifest)
    return of_release == (Dataset.parse(dataset).kind == WEBAPP)
