"""One lab for all system tests: that of this checkout, with the working tree installed."""

from __future__ import annotations

import pytest
from labclient import Lab


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab, up, with WS220 or a later build live; it stays up for the next session."""
    client = Lab()
    client.do("up", seconds=1500)
    client.do("install")
    return client
