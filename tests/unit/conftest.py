"""Desks of whole runs in one process, for tests of the master's part (see rehearsal.py)."""

import pytest
from rehearsal import scratch
from wbmaster import run


@pytest.fixture(scope="module")
def memory():
    with scratch() as root:
        yield root


@pytest.fixture
def desk(before, memory, request):
    """A desk of its own for each test, as the module's ``before`` left it."""
    desk = before.again(memory / str(id(request)))
    yield desk
    run.set_current(None)
    desk.wire.close()
