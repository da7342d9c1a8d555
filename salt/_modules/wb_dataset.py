"""The datasets of this node: pulled, verified, held, removed.

A dataset is one directory and is complete or absent: it is fetched beside its place,
every byte is checked against the manifest, and a rename puts it there.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import wbnode.minion
from wbcore import drift, events
from wbcore.build.manifest import digest_of, parse_digest, parse_name
from wbcore.datasets import ACEDB, KINDS, MYSQL, SUPPORT, WEBAPP, Dataset
from wbcore.enforcement import schedule
from wbcore.enforcement.scrub_plan import tonight
from wbcore.errors import BadRequest
from wbcore.model import desired, links
from wbcore.transport.rsync import Source
from wbnode.dataset_store import DatasetStore
from wbnode.transport import adoption, progress, scrubbing
from wbnode.transport.carrier import Carrier
from wbnode.transport.pull import Pull


@wbnode.minion.salt_errors
def held() -> dict[str, dict[str, Any]]:
    """Every verified dataset here: its digest, files, bytes, when it was verified, and when
    every byte of it was read the last time.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_dataset.held
    """
    store = _store()
    records = {str(dataset): store.record(dataset) for dataset in store.present()}
    return {
        dataset: {
            **{key: record[key] for key in ("digest", "files", "bytes", "verified")},
            "read": record.get("read", record["verified"]),
        }
        for dataset, record in records.items()
        if record
    }


@wbnode.minion.salt_errors
def touched(datasets: Sequence[str]) -> list[str]:
    """Those of these verified datasets in which a name came or went since they were verified:
    a file was removed, or something was put there. Folders are looked at, files are not read.

    datasets
        Ids such as ``mysql/c_elegans_WS221``; one that is not held is left out.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_dataset.touched '[mysql/c_elegans_WS221]'
    """
    store = _store()
    return [dataset for dataset in datasets if store.touched(Dataset.parse(dataset))]


@wbnode.minion.salt_errors
def lacking(datasets: Sequence[str]) -> list[str]:
    """Those of these datasets in which a file is gone, or of another size than it was sealed
    with. Every file is looked at, none is read. BadRequest for one that is not here and verified.

    datasets
        Ids such as ``mysql/c_elegans_WS221``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_dataset.lacking '[mysql/c_elegans_WS221]'
    """
    store = _store()
    return [one for one in datasets if scrubbing.lacks(store, Dataset.parse(one))]


@wbnode.minion.salt_errors
def unknown(given: Mapping[str, str]) -> list[str]:
    """Names of those manifests that are not here, or here as another sealing made them.

    given
        Digest of each manifest by its name.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_dataset.unknown '{WS221: 9f86d081884c7d65…}'
    """
    own = {name: _store().layout.manifest(parse_name(name)) for name in given}
    return [
        name
        for name, path in own.items()
        if not path.exists() or digest_of(path.read_bytes()) != given[name]
    ]


@wbnode.minion.salt_errors
def manifests() -> dict[str, str]:
    """Digest of each manifest that is here, by the build or the webapp release that it lists.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_dataset.manifests
    """
    paths = sorted(_store().layout.manifests.glob("*.json"))
    return {path.stem: digest_of(path.read_bytes()) for path in paths}


@wbnode.minion.salt_errors
def found() -> dict[str, dict[str, Any]]:
    """Every dataset directory here, verified or not, with its bytes and files; also what was
    begun to be fetched by a pull that did not end.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_dataset.found
    """
    store = _store()
    here = dict.fromkeys([*store.present(), *store.incoming()])
    return {str(dataset): store.size(dataset) for dataset in here}


@wbnode.minion.salt_errors
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
    parsed, digest = parse_name(name), parse_digest(digest)
    wanted = [Dataset.parse(dataset) for dataset in datasets]
    froms = [Source.parse(source) for source in sources]
    with _pulling(froms) as job:
        manifest = job.manifest(parsed, digest)
        job.clean(wanted)
        contents = {dataset: manifest.of(dataset) for dataset in wanted}
        lacking = [dataset for dataset in wanted if not job.has(dataset, contents[dataset], name)]
        total = sum(contents[dataset].bytes for dataset in lacking)
        meter = progress.meter(__salt__["event.send"], __opts__, parsed, step, total)
        fetched = job.run({dataset: contents[dataset] for dataset in lacking}, meter, name)
        answer = {str(d): {"bytes": contents[d].bytes, **fetched.get(d, _ALREADY)} for d in wanted}
        return {
            "datasets": answer,
            "passed_over": job.passed_over,
            "mended": job.mended[:_TOLD],
        }


@wbnode.minion.salt_errors
def verify(datasets: Sequence[str] = (), when_due: bool = False) -> dict[str, dict[str, Any]]:
    """Read every byte of held datasets again, and put right what is not as it was sealed:
    wrong files are fetched from a sibling and replaced one by one, where the dataset lies.

    The schedule of every node calls it each night (pillar ``wormbase:enforce``). What was
    wrong is told to the master as ``rotted``, or ``failed``: ``docs/events.md``.

    datasets
        Ids such as ``mysql/c_elegans_WS221``; without any, those whose turn it is tonight, so
        that each is read within ``wormbase:enforce:deep_days``.
    when_due
        Only in the hour ``wormbase:enforce:deep_hour``.

    Returns for each ``{"bytes": read, "faults": number of paths, "shown": the first of them,
    "source": the node that gave them again, "error": why it could not be put right}``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_dataset.verify '[mysql/c_elegans_WS221]'
    """
    store, live = _store(), __salt__["wb_link.read"]()
    if when_due and not schedule.is_night(store.settings.enforce, time.localtime().tm_hour):
        return {}
    turn = tonight(scrubbing.held(store), time.time(), store.settings.enforce.deep_days)
    wanted = [Dataset.parse(one) for one in datasets or [read.dataset for read in turn]]

    def mending() -> contextlib.AbstractContextManager[Pull]:
        givers = desired.sources(store.settings, __opts__["id"])
        return _pulling([Source.parse(source) for source in givers])

    findings = scrubbing.scrub(store, wanted, mending, live, _follow)
    _tell(findings)
    return {str(finding.dataset): finding.plain() for finding in findings}


@wbnode.minion.salt_errors
def present(datasets: Sequence[str]) -> list[str]:
    """Those of these datasets that have their directory here, verified or not.

    datasets
        Ids such as ``mysql/c_elegans_WS221``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_dataset.present '[webapp/WS221-2010.12.24-0.02-1350]'
    """
    layout = _store().layout
    return [one for one in datasets if layout.dataset(Dataset.parse(one)).is_dir()]


@wbnode.minion.salt_errors
def adopt(
    manifests: Mapping[str, Mapping[str, Any]],
    sources: Sequence[Mapping[str, str]],
    repair: bool = False,
    step: str = "verify_in_place",
) -> dict[str, Any]:
    """Take over datasets that lie here, put there by other means: every byte is compared with
    the manifest, and what is right gets its owners, modes and marker. Nothing is fetched but
    manifests, nothing that serves is interrupted.

    manifests
        Name of each manifest → ``{"digest": what sealing returned, "datasets": [ids]}``.
    sources
        ``{node, address}`` of the nodes to fetch from, in the order to be tried.
    repair
        Fetch what is missing or wrong, too, and replace it file by file. Without it a dataset
        that is not as it was sealed is left as it is.
    step
        The step of the run, for its progress events.

    Returns ``{"received": bytes, "datasets": {id: {"bytes", "already", "faults": number of
    paths, "shown": the first of them, "extra": number of paths that the manifest does not have,
    "shown_extra", "repaired", "source", "error"}}}``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_dataset.adopt \\
            '{WS221: {digest: 9f86d081884c7d65…, datasets: [mysql/c_elegans_WS221]}}' \\
            '[{node: wb-dev, address: 10.0.0.2}]'
    """
    with _pulling([Source.parse(source) for source in sources]) as job:
        wanted = {}
        for name, given in manifests.items():
            manifest = job.manifest(parse_name(name), parse_digest(given["digest"]))
            for dataset in map(Dataset.parse, given["datasets"]):
                wanted[dataset] = (manifest.of(dataset), name)
        total = sum(contents.bytes for contents, _ in wanted.values())
        build = parse_name(next(iter(manifests)))
        meter = progress.meter(__salt__["event.send"], __opts__, build, step, total)
        taken = adoption.take_over(job, wanted, meter, repair, _follow)
        told = {str(dataset): one.plain() for dataset, one in taken.items()}
        return {"received": job.received, "datasets": told}


@wbnode.minion.salt_errors
def remove(datasets: Sequence[str], may_keep_all: bool = False) -> dict[str, Any]:
    """Remove datasets from this node, the parcels of their builds, and the manifests of which
    nothing is left here, but keep what a live link leads to: a database that later builds have
    no more still has its link.

    A pull that is running here is waited for: it reads what is here. BadRequest when a live
    link leads to each of them.

    datasets
        Ids such as ``mysql/c_elegans_WS219``; those that are not here are passed over.
    may_keep_all
        No BadRequest: all of them may have to stay. A run asks so.

    Returns ``freed``, the bytes of each dataset that was removed, and ``kept``, by dataset why
    it stays.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_dataset.remove '[mysql/c_elegans_WS219]'
    """
    store = _store()
    wanted = [Dataset.parse(dataset) for dataset in datasets]
    with _one_at_a_time(store):
        live = __salt__["wb_link.read"]()
        why = {dataset: links.why_live(dataset, live) for dataset in wanted}
        kept = {str(dataset): _is_live(link) for dataset, link in why.items() if link}
        if kept and len(kept) == len(why) and not may_keep_all:
            dataset, words = next(iter(kept.items()))
            raise BadRequest(f"{dataset} {words}", "switch to another build first")
        freed = store.purge(dataset for dataset, link in why.items() if not link)
        return {"freed": freed, "kept": kept}


@wbnode.minion.salt_errors
def sweep(coming: Sequence[str]) -> bool:
    """Remove what removals and pulls that did not end have left here, so that only what counts
    takes room; False, and nothing is removed, while a pull is running.

    coming
        Ids of datasets that are about to be fetched: what of them is here already stays.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_dataset.sweep '[mysql/c_elegans_WS221]'
    """
    store = _store()
    wanted = [Dataset.parse(dataset) for dataset in coming]
    try:
        with _one_at_a_time(store, fcntl.LOCK_EX | fcntl.LOCK_NB):
            store.clean(begun for begun in store.incoming() if begun not in wanted)
            store.give_back(kind for kind in KINDS if store.layout.incoming_of(kind).exists())
    except BlockingIOError:
        return False
    return True


# What lets the servers of a live dataset take it up anew; the webapp opens support databases
# at each request.
_FOLLOW = {
    ACEDB: "wb_acedb.restart",
    MYSQL: "wb_mysql.flush",
    SUPPORT: "test.ping",
    WEBAPP: "wb_webapp.reload",
}
_TOLD = 5
_ALREADY = {"received": 0, "seconds": 0, "source": "", "already": True}


def _store() -> DatasetStore:
    return DatasetStore(wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__))


def _is_live(link: str) -> str:
    return f"is live here (the link {link} says so)"


def _follow(kind: str) -> None:
    """Let the servers take up a live dataset of a kind; nobody is interrupted for it."""
    if _interrupts(kind) and __salt__["wb_service.serves"]():
        servers = {ACEDB: ACEDB, WEBAPP: _store().settings.webapp.service}
        __salt__["wb_service.restart_later"](servers[kind])
    else:
        __salt__[_FOLLOW[kind]]()


def _interrupts(kind: str) -> bool:
    return kind == ACEDB or (kind == WEBAPP and not __salt__["wb_webapp.can_reload"]())


def _tell(findings: Sequence[scrubbing.Finding]) -> None:
    """Tell the master what was not as it was sealed."""
    for kind in (drift.ROTTED, drift.FAILED):
        changes = [
            drift.Change.of(finding.dataset, finding.words if finding.faults else finding.error)
            for finding in findings
            if (finding.error and kind == drift.FAILED)
            or (finding.faults and not finding.error and kind == drift.ROTTED)
        ]
        if changes:
            report = drift.Report.of(__opts__["id"], kind, changes)
            __salt__["event.send"](events.drift_tag(report.node), report.plain())


@contextlib.contextmanager
def _pulling(sources: Sequence[Source]) -> Iterator[Pull]:
    """A pull from these sources, the only one here."""
    store = _store()
    with (
        _one_at_a_time(store) as lock,
        Carrier(store.layout, store.settings, __opts__["id"], lock) as carrier,
    ):
        yield Pull(store, carrier, sources, __salt__["wb_link.read"]())


@contextlib.contextmanager
def _one_at_a_time(store: DatasetStore, how: int = fcntl.LOCK_EX) -> Iterator[int]:
    """A lock that one pull holds; a second one waits, and finds what the first brought.

    (Salt continues a job whose salt-run was killed.)
    """
    path = store.layout.pull_lock
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield descriptor
    finally:
        os.close(descriptor)
