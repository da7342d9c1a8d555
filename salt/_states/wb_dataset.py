"""Datasets that have to be on a node, complete and verified.

.. code-block:: yaml

    the datasets of WS221-2010.12.24-0.02-1350 are here:
      wb_dataset.present:
        - manifests: {WS221: 6f0c…, WS221-2010.12.24-0.02-1350: 51d2…}
        - datasets: [acedb/wormbase_WS221, webapp/WS221-2010.12.24-0.02-1350]
        - sources: [{node: wb-dev, address: 10.0.0.11}]
"""

import wbstate
from wbcore.datasets import WEBAPP, Dataset
from wbcore.names import Release

__virtualname__ = "wb_dataset"
_VERIFIED = "verified"


def __virtual__():
    return __virtualname__


@wbstate.told
def present(name, manifests, datasets, sources):
    """Make sure that these datasets are here and verified.

    manifests
        Digest of each manifest by its name: that of the release lists the webapp, that of
        the build everything else.
    datasets
        Ids of the datasets.
    sources
        ``[{node, address}]`` in the order to try.
    """

    def read():
        return dict.fromkeys(__salt__["wb_dataset.held"](), _VERIFIED)

    def fetch(missing):
        for manifest, digest in manifests.items():
            listed = [dataset for dataset in missing if _lists(manifest, dataset)]
            if listed:
                __salt__["wb_dataset.pull"](manifest, digest, listed, sources, "enforce")

    wanted = dict.fromkeys(datasets, _VERIFIED)
    return wbstate.reach(name, __opts__["test"], read, wanted, fetch)


def _lists(manifest, dataset):
    """Whether a manifest is the one that lists a dataset."""
    of_release = "-" in manifest
    if of_release:
        Release.parse(manifest)
    return of_release == (Dataset.parse(dataset).kind == WEBAPP)
