"""Datasets: what travels as one and is either complete on a node or absent.

A dataset is one directory and its id says which:

``acedb/wormbase_WS221``                 the AceDB database
``mysql/c_elegans_WS221``                one MySQL database
``support/WS221/ontology``               one folder of the support databases
``webapp/WS221-2010.12.24-0.02-1350``    one release of the webapp
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import BadRequest
from .names import Build, Release, build_of_directory

ACEDB, MYSQL, SUPPORT, WEBAPP = "acedb", "mysql", "support", "webapp"
KINDS = (ACEDB, MYSQL, SUPPORT, WEBAPP)
_FOLDER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,120}")


@dataclass(frozen=True, order=True)
class Dataset:
    """One dataset; ``name`` is its directory below the directory of its kind."""

    kind: str
    name: str

    @classmethod
    def parse(cls, text: object) -> Dataset:
        """The dataset with this id; BadRequest for anything that could leave its place."""
        kind, _, name = text.partition("/") if isinstance(text, str) else ("", "", "")
        folders = name.split("/")
        depth = 2 if kind == SUPPORT else 1
        if (
            kind not in KINDS
            or len(folders) != depth
            or not all(_FOLDER.fullmatch(folder) for folder in folders)
        ):
            raise BadRequest(
                f"{str(text)[:80]!r} is not a dataset",
                "a dataset is named like mysql/c_elegans_WS221 or support/WS221/blast",
            )
        dataset = cls(kind, name)
        dataset._build()
        return dataset

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def build(self) -> Build:
        """The build that it belongs to."""
        return self._build()

    @property
    def folder(self) -> str:
        """The last part of its name: the folder itself."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def basis_stem(self) -> str:
        """What is the same in the ids of this dataset in every build."""
        if self.kind == WEBAPP:
            return WEBAPP
        return str(self).replace(str(self.build), "WS*")

    def _build(self) -> Build:
        if self.kind == SUPPORT:
            return Build.parse(self.name.split("/")[0])
        if self.kind == WEBAPP:
            return Release.parse(self.name).build
        build = build_of_directory(self.name)
        if build is None:
            raise BadRequest(
                f"the directory {self.name!r} does not end in a build",
                "a database directory is named like c_elegans_WS221",
            )
        return build
