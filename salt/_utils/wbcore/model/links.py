"""Live links: which dataset a link makes live, and which datasets are live."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..datasets import ACEDB, MYSQL, SUPPORT, WEBAPP, Dataset
from ..errors import BadRequest

PRODUCTION = "production"
_DATABASE = re.compile(r"[A-Za-z0-9_]{1,64}")


def dataset_of(name: str, target: str) -> Dataset:
    """The dataset that link ``name`` makes live by pointing to ``target``.

    BadRequest for a name that is no link, and for a target that is not of its kind: a
    database's link leads to a directory of that very database.
    """
    kind, _, database = name.partition("/")
    stems = {ACEDB: "acedb/wormbase_WS*", PRODUCTION: WEBAPP}
    if kind == MYSQL and _DATABASE.fullmatch(database):
        dataset, stem = Dataset.parse(f"{MYSQL}/{target}"), f"mysql/{database}_WS*"
    elif name in stems:
        dataset = Dataset.parse(f"{ACEDB if name == ACEDB else WEBAPP}/{target}")
        stem = stems[name]
    else:
        raise BadRequest(
            f"{name[:80]!r} is not a live link", "links are acedb, production and mysql/<database>"
        )
    if dataset.basis_stem != stem:
        raise BadRequest(
            f"the link {name} can not point to {target}", f"its targets are named like {stem}"
        )
    return dataset


def why_live(dataset: Dataset, links: Mapping[str, str]) -> str:
    """The link that makes a dataset live; empty when none does.

    Support databases have no link: those of the build that AceDB or the webapp is on are live.
    """
    for name, target in links.items():
        try:
            live = dataset_of(name, target)
        except BadRequest:
            continue
        if live == dataset or (
            dataset.kind == SUPPORT and live.kind != MYSQL and live.build == dataset.build
        ):
            return name
    return ""
