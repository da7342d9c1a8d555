"""The datasets of this node: pulled, verified, held, removed.

A dataset is one directory and is complete or absent: it is fetched beside its place,
every byte is checked against the manifest, and a rename puts it there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import wbnode
import wbprogress
from wbcarrier import Carrier
from wbcore import links
from wbcore import manifest as manifests
from wbcore.datasets import Dataset
from wbcore.errors import BadRequest
from wbcore.transfer import Source
from wbplace import Places
from wbpull import Pull


@wbnode.told
def held() -> dict[str, dict[str, Any]]:
    """Every verified dataset here: its digest, files, bytes and when it was verified.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_dataset.held
    """
    places = _places()
    records = {str(dataset): places.record(dataset) for dataset in places.present()}
    return {
        dataset: {key: record[key] for key in ("digest", "files", "bytes", "verified")}
        for dataset, record in records.items()
        if record
    }


@wbnode.told
def found() -> dict[str, dict[str, Any]]:
    """Every dataset directory here, verified or not, with its bytes and files.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_dataset.found
    """
    places = _places()
    return {str(dataset): places.size(dataset) for dataset in places.present()}


@wbnode.told
def pull(
    name: str,
    digest: str,
    datasets: Sequence[str],
    sources: Sequence[Mapping[str, str]],
    step: str = "push",
) -> dict[str, Any]:
    """Fetch datasets of a build or of a webapp release, and verify every byte of them.

    What is here under the right digest already is left alone. A pull that was killed goes
    on from the bytes that it left behind.

    name
        The build or the webapp release whose manifest lists the datasets.
    digest
        What sealing returned for it.
    datasets
        Ids such as ``mysql/c_elegans_WS221``.
    sources
        ``{node, address}`` of the nodes to fetch from, in the order to be tried.
    step
        The step of the run, for its progress events.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_dataset.pull WS221 9f86d081884c7d65… '[support/WS221/ontology]' \\
            '[{node: wb-dev, address: 10.0.0.2}]'
    """
    parsed, digest = manifests.parse_name(name), manifests.parse_digest(digest)
    wanted = [Dataset.parse(dataset) for dataset in datasets]
    froms = [Source.parse(source) for source in sources]
    places = _places()
    with (
        _one_at_a_time(places) as lock,
        Carrier(places.layout, places.settings, __opts__["id"], lock) as carrier,
    ):
        job = Pull(places, carrier, froms, __salt__["wb_link.read"]())
        manifest = job.manifest(parsed, digest)
        job.clean(wanted)
        contents = {dataset: manifest.of(dataset) for dataset in wanted}
        lacking = [dataset for dataset in wanted if not job.has(dataset, contents[dataset], name)]
        total = sum(contents[dataset].bytes for dataset in lacking)
        meter = wbprogress.meter(__salt__["event.send"], __opts__, parsed, step, total)
        fetched = job.run({dataset: contents[dataset] for dataset in lacking}, meter, name)
        answer = {str(d): {"bytes": contents[d].bytes, **fetched.get(d, _ALREADY)} for d in wanted}
        return {
            "datasets": answer,
            "passed_over": job.passed_over,
            "mended": job.mended[:_TOLD],
        }


@wbnode.told
def remove(datasets: Sequence[str]) -> dict[str, int]:
    """Remove datasets from this node, and the parcels of their builds; the bytes of each
    dataset that were freed.

    A pull that is at work here is waited for: it reads what is here. BadRequest when a live
    link leads to one of them: nothing is removed then.

    datasets
        Ids such as ``mysql/c_elegans_WS219``; those that are not here are passed over.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_dataset.remove '[mysql/c_elegans_WS219]'
    """
    places = _places()
    wanted = [Dataset.parse(dataset) for dataset in datasets]
    with _one_at_a_time(places):
        live = __salt__["wb_link.read"]()
        for dataset in wanted:
            if link := links.why_live(dataset, live):
                raise BadRequest(
                    f"{dataset} is live here (the link {link} says so)",
                    "switch to another build first",
                )
        return places.purge(wanted)


_TOLD = 5
_ALREADY = {"received": 0, "seconds": 0, "source": "", "already": True}


def _places() -> Places:
    return Places(wbnode.layout_of(__opts__), wbnode.settings_of(__pillar__))


@contextlib.contextmanager
def _one_at_a_time(places: Places) -> Iterator[int]:
    """A lock that one pull holds; a second one waits, and finds what the first brought.

    (Salt goes on with a job whose salt-run was killed: SALT.md, 11.)
    """
    path = places.layout.pull_lock
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
