"""Where tests run in several processes, those of this folder have a lab of their own."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from labclient import Lab, second_checkout, standing


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The lab of this checkout, or of a copy, which goes in the end."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        yield standing(Lab())
        return
    with second_checkout(tmp_path_factory.mktemp("lab")) as client:
        yield standing(client)
