"""Reading every byte of held datasets again, and putting right what is not as it was sealed."""

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from salt.exceptions import CommandExecutionError
from wbcore.build.manifest import Contents, Manifest, parse_name, shown
from wbcore.datasets import Dataset
from wbcore.enforcement.scrub_plan import Read
from wbcore.errors import BadData, BadRequest, ReleaseError
from wbcore.model import links

import wbnode.files
from wbnode.dataset_store import DatasetStore
from wbnode.transport.pull import Pull
from wbnode.verify import verify

_SHOWN = 5


@dataclass
class Finding:
    """What reading a dataset came to: paths that were not as sealed, the node that gave them
    again, and why it could not be put right."""

    dataset: Dataset
    bytes: int
    faults: list[str] = field(default_factory=list)
    source: str = ""
    error: str = ""

    def plain(self) -> dict[str, Any]:
        """What JSON can hold; of the paths at most five."""
        names = [shown(path) for path in self.faults[:_SHOWN]]
        told = {"bytes": self.bytes, "faults": len(self.faults), "shown": names}
        return {**told, "source": self.source, "error": self.error}

    @property
    def words(self) -> str:
        """What was wrong and what came of it, in a line."""
        names = ", ".join(shown(path) for path in self.faults[:_SHOWN])
        end = self.error or (f"fetched again from {self.source}" if self.source else "put back")
        return f"{len(self.faults)} not as sealed ({names}): {end}"


def held(store: DatasetStore) -> list[Read]:
    """The verified datasets here, and when each was read the last time."""
    found = []
    for dataset in store.present():
        if record := store.record(dataset):
            when = datetime.datetime.fromisoformat(record.get("read", record["verified"]))
            found.append(Read(str(dataset), record["bytes"], when.timestamp()))
    return found


def contents_of(store: DatasetStore, dataset: Dataset) -> Contents:
    """What a held dataset was sealed as, by the manifest here that its marker speaks of."""
    record = store.record(dataset)
    if not record:
        raise BadRequest(f"{dataset} is not here and verified", "push its build to this node")
    name = parse_name(record["manifest"])
    again = f"remove {store.layout.manifest(name)}; the next push of {name} fetches it"
    try:
        contents = Manifest.parse(store.layout.manifest(name).read_bytes(), name).of(dataset)
    except FileNotFoundError:
        raise BadData(f"the manifest of {name} is missing here", again) from None
    if contents.digest != record["digest"]:
        raise BadData(f"the manifest of {name} is not the one of {dataset} here", again)
    return contents


def look(store: DatasetStore, dataset: Dataset, contents: Contents) -> tuple[list[str], list[str]]:
    """Files of a dataset that are missing or hold something else than what was sealed; and
    what else of it is wrong (links, folders, owners, modes)."""
    root = store.layout.dataset(dataset)
    missing, wrong = verify(root, contents)
    folders = [path for path in contents.folders if not (root / path).is_dir()]
    return sorted([*missing, *wrong]), sorted({*store.amiss(dataset, contents), *folders})


def put_right(job: Pull, dataset: Dataset, contents: Contents, wrong: Sequence[str]) -> str:
    """Fetch the wrong files of a dataset and see to the rest of it; the node that gave them."""
    store = job.store
    source = job.mend(dataset, contents, wrong) if wrong else ""
    root = store.layout.dataset(dataset)
    for path in sorted(contents.folders):
        wbnode.files.make_folder(root, path)
    for path, target in contents.links.items():
        wbnode.files.link(root, path, target)
    store.take_over(dataset, contents, root)
    return source


def lacks(store: DatasetStore, dataset: Dataset) -> bool:
    """Whether a file of a verified dataset is gone, or of another size than it was sealed with;
    nothing is read."""
    root, contents = store.layout.dataset(dataset), contents_of(store, dataset)
    sizes = wbnode.files.sizes(root, contents.files)
    return sizes != {path: file.size for path, file in contents.files.items()}


def scrub(
    store: DatasetStore,
    wanted: Sequence[Dataset],
    mending: Callable[[], Any],
    live: Mapping[str, str],
    follow: Callable[[str], object],
) -> list[Finding]:
    """Read these datasets, put right what is wrong, and record what is right.

    mending
        Makes the context in which a :class:`Pull` may work.
    live
        The live links; ``follow`` is given the kind of a live dataset that was put right.
    """
    findings = []
    for dataset in wanted:
        finding = Finding(dataset, 0)
        try:
            if not _read(store, finding, mending):
                continue
            if finding.source and links.why_live(dataset, live):
                follow(dataset.kind)
            store.mark_read(dataset)
        except (ReleaseError, CommandExecutionError) as error:
            finding.error = str(error)
        except OSError as error:
            # A purge took it away under our hands.
            if not store.record(dataset):
                continue
            finding.error = str(error)
        findings.append(finding)
    return findings


def _read(store: DatasetStore, finding: Finding, mending: Callable[[], Any]) -> bool:
    """Read one dataset and put it right; False when it was purged or replaced meanwhile."""
    dataset = finding.dataset
    contents = contents_of(store, dataset)
    finding.bytes = contents.bytes
    wrong, amiss = look(store, dataset, contents)
    finding.faults = [*wrong, *amiss]
    if finding.faults:
        with mending() as job:
            # Only in here no push replaces it, and no purge removes it.
            record = store.record(dataset)
            if not record or record["digest"] != contents.digest:
                return False
            finding.source = put_right(job, dataset, contents, wrong)
    return True
