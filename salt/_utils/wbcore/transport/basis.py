"""The basis of a transfer: which dataset that is here is an earlier version of another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..datasets import WEBAPP, Dataset
from ..names import Release


def basis_for(dataset: Dataset, candidates: Iterable[Dataset]) -> Dataset | None:
    """The newest dataset that is the same thing of another build, if there is one."""
    same = [
        other for other in candidates if other != dataset and other.basis_stem == dataset.basis_stem
    ]
    return max(same, key=_age, default=None)


def _age(dataset: Dataset) -> tuple[Any, ...]:
    if dataset.kind == WEBAPP:
        release = Release.parse(dataset.name)
        return release.build, release.date, release.revision
    return (dataset.build,)
