"""Directories of the tests that rehearse runs."""

import tempfile
from pathlib import Path

import pytest
from rehearsal import scratch


@pytest.fixture(scope="module")
def memory():
    """A directory in memory: these tests write the ledger thousands of times."""
    with scratch() as root:
        yield root


@pytest.fixture
def room(memory):
    """A directory for one test."""
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)
