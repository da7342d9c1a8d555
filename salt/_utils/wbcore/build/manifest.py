"""The manifest of a build or of a webapp release: every file of every dataset.

It is made once, where the files were made, and its digest travels over Salt: what a node
fetched, from whomever, is checked against it.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..datasets import SUPPORT, WEBAPP, Dataset
from ..errors import BadData, BadRequest
from ..layout import Layout
from ..names import Build, Release

FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATABASE = re.compile(r"[A-Za-z0-9_]{1,64}")


@dataclass(frozen=True)
class File:
    """A file as it was sealed; ``mtime_ns`` in nanoseconds."""

    size: int
    mtime_ns: int
    mode: int
    sha256: str


@dataclass(frozen=True)
class Stat:
    """A file as it is found; ``ctime_ns`` and ``inode`` show whether it was touched."""

    size: int
    mtime_ns: int
    mode: int
    inode: int
    ctime_ns: int


@dataclass(frozen=True)
class Found:
    """A dataset as it is found on disk; ``odd`` says of a path why it can not travel."""

    files: Mapping[str, Stat] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()
    odd: Mapping[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        return sum(stat.size for stat in self.files.values())


@dataclass(frozen=True)
class Contents:
    """Everything in one dataset, by path below its directory."""

    files: Mapping[str, File] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    folders: frozenset[str] = frozenset()

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files.values())

    @property
    def digest(self) -> str:
        """What the dataset holds, whenever it was written and whoever may read it."""
        files = {
            path: [file.size, file.sha256, bool(file.mode & 0o100)]
            for path, file in self.files.items()
        }
        links, folders = dict(self.links), sorted(self.folders)
        return digest_of(_canonical({"files": files, "links": links, "folders": folders}))

    def hashes(self) -> dict[str, str]:
        """The digest of every file, by path."""
        return {path: file.sha256 for path, file in self.files.items()}

    def changed(self, found: Found) -> list[str]:
        """Paths that are there and were not, or the other way round, or are not the same."""
        paths = self.files.keys() ^ found.files.keys()
        paths |= {
            path
            for path in self.files.keys() & found.files.keys()
            if not _same(path, self.files[path], found.files[path])
        }
        paths |= {path for path, _ in self.links.items() ^ found.links.items()}
        return sorted(paths | (self.folders ^ found.folders) | found.odd.keys())


@dataclass(frozen=True)
class Manifest:
    """What a build or a webapp release is made of.

    ``databases`` are the links of MySQL on the development server: database → directory.
    """

    name: Build | Release
    databases: Mapping[str, str]
    datasets: Mapping[Dataset, Contents]

    def to_bytes(self) -> bytes:
        """The manifest as JSON: equal manifests give equal bytes."""
        return _canonical(
            {
                "format": FORMAT,
                "name": str(self.name),
                "databases": dict(self.databases),
                "datasets": {str(d): _plain(c) for d, c in self.datasets.items()},
            }
        )

    @classmethod
    def parse(cls, data: bytes, name: Build | Release) -> Manifest:
        """The manifest in these bytes; BadData unless it is whole and is that of ``name``."""
        try:
            plain = json.loads(data)
            manifest = cls(
                parse_name(plain["name"]),
                dict(_databases(plain["databases"])),
                dict(_datasets(plain["datasets"])),
            )
            if plain["format"] != FORMAT or manifest.name != name:
                raise ValueError(f"it is of {manifest.name}, in format {plain['format']}")
        except (BadRequest, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadData(f"the manifest of {name} can not be read: {error}", _AGAIN) from None
        return manifest

    def of(self, dataset: Dataset) -> Contents:
        """What is in a dataset; BadRequest when the manifest has no such dataset."""
        if dataset not in self.datasets:
            raise BadRequest(
                f"{self.name} has no dataset {dataset}", "ask for those that its manifest lists"
            )
        return self.datasets[dataset]


_AGAIN = "remove it and seal again"


def parse_name(text: object) -> Build | Release:
    """The build or the webapp release that a manifest is named after."""
    return Release.parse(text) if "-" in str(text) else Build.parse(text)


def digest_of(data: bytes) -> str:
    """The digest of a manifest, which travels over Salt."""
    return hashlib.sha256(data).hexdigest()


def parse_digest(text: object) -> str:
    """``text`` when it is a digest; BadRequest for anything else."""
    if isinstance(text, str) and _SHA256.fullmatch(text):
        return text
    raise BadRequest(f"{str(text)[:70]!r} is not a digest", "give the one that sealing returned")


def shown(path: str) -> str:
    """A file name as it can be printed: one line, and text whatever its bytes."""
    return path.encode("unicode_escape", "backslashreplace").decode()


def together(problems: Sequence[str]) -> str:
    """All that is wrong with a build, in one line."""
    if len(problems) == 1:
        return problems[0]
    told = " ".join(f"({number}) {problem}" for number, problem in enumerate(problems, 1))
    return f"{len(problems)} things are wrong: {told}"


def link_problem(dataset: Dataset, path: str, target: str) -> str:
    """Why a symlink inside a dataset can not travel; empty when it can, also when it is
    absolute and leads to where the dataset will lie on every node."""
    if target.startswith("/"):
        if _leads_into(_place(dataset), target):
            return ""
        return f"is a link to the absolute path {shown(target)}; make it relative"
    parts = target.split("/")
    ups = len(parts) - len([part for part in parts if part != ".."])
    # An ".." after a folder that is itself a link would lead anywhere, so it has to be in front.
    if ".." in parts[ups:] or posixpath.normpath(
        posixpath.join(posixpath.dirname(path), target)
    ).startswith(".."):
        return f"is a link to {shown(target)}, which leaves its dataset; copy what it points to"
    return ""


def _place(dataset: Dataset) -> str:
    """The directory of a dataset on every node; of the support databases that of the build."""
    home = Layout().kind(dataset.kind)
    return str(home / (str(dataset.build) if dataset.kind == SUPPORT else dataset.name))


def _leads_into(place: str, target: str) -> bool:
    return ".." not in target.split("/") and f"{target}/".startswith(f"{place}/")


def written_by_server(path: str) -> bool:
    """Whether MariaDB writes a file anew, with what it held before, whenever it closes the
    table: the state of a CSV table."""
    return path.endswith(".CSM")


def _same(path: str, file: File, stat: Stat) -> bool:
    return file.size == stat.size and (file.mtime_ns == stat.mtime_ns or written_by_server(path))


def _canonical(plain: Mapping[str, Any]) -> bytes:
    return json.dumps(plain, sort_keys=True, separators=(",", ":")).encode("ascii")


def _plain(contents: Contents) -> dict[str, Any]:
    return {
        "files": {path: vars(file) for path, file in contents.files.items()},
        "links": dict(contents.links),
        "folders": sorted(contents.folders),
    }


def _datasets(plain: Mapping[str, Any]) -> Iterator[tuple[Dataset, Contents]]:
    for name, value in plain.items():
        dataset, contents = Dataset.parse(name), _contents(value)
        for path, target in contents.links.items():
            # Which links of a webapp may leave it was decided by the pillar when it was sealed.
            if dataset.kind != WEBAPP and (problem := link_problem(dataset, path, target)):
                raise ValueError(f"{path!r} {problem}")
        yield dataset, contents


def _contents(plain: Mapping[str, Any]) -> Contents:
    files = {path: _file(value) for path, value in plain["files"].items()}
    contents = Contents(files, dict(plain["links"]), frozenset(plain["folders"]))
    for path in _paths(contents):
        parent = posixpath.dirname(path)
        if not _stays(path) or (parent and parent not in contents.folders):
            raise ValueError(f"the path {path!r} leaves its dataset")
    return contents


def _paths(contents: Contents) -> Iterator[str]:
    """Every path, once; ValueError when one is two things."""
    paths = [*contents.files, *contents.links, *contents.folders]
    if len(set(paths)) != len(paths):
        raise ValueError("a path is in it twice")
    return iter(paths)


def _stays(path: str) -> bool:
    # Raises a ValueError for what can not be the name of a file.
    path.encode("utf-8", "surrogateescape")
    return "\0" not in path and not {"", ".", ".."} & set(path.split("/"))


def _file(value: Mapping[str, Any]) -> File:
    file = File(**value)
    if not _SHA256.fullmatch(file.sha256) or any(
        type(n) is not int or n < 0 for n in (file.size, file.mode)
    ):
        raise ValueError("a file has no size, mode or digest")
    return file


def _databases(plain: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for database, directory in plain.items():
        if not _DATABASE.fullmatch(database):
            raise ValueError(f"{database!r} is no database")
        yield database, Dataset.parse(f"mysql/{directory}").name
