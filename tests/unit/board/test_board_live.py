"""What is heard on the bus, and by how many."""

import threading
import time

import pytest
from wbcore.errors import BadRequest

from board.config import Config
from board.live import Live
from board.recent import Recent

SEAL = "wormbase/release/WS221/seal"


@pytest.fixture
def live(tmp_path):
    return Live(None, str(tmp_path))


def test_whoever_waits_is_woken_at_once(live):
    woken = []

    def follow():
        for _ in live.changes(10):
            woken.append(time.monotonic())

    thread = threading.Thread(target=follow)
    thread.start()
    time.sleep(0.5)
    began = time.monotonic()
    live.heard(f"{SEAL}/start", {})
    time.sleep(0.6)
    live.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert any(0 <= one - began < 0.5 for one in woken)


def test_all_who_look_at_once_get_one_drawing():
    clock, drawn = [5.0], []
    shared = Recent(lambda: drawn.append(1) or f"drawing {len(drawn)}", 0.125, lambda: clock[0])

    assert {shared.value() for _ in range(20)} == {"drawing 1"}
    clock[0] += 1
    assert {shared.value() for _ in range(20)} == {"drawing 2"}


def test_a_master_that_is_not_there_is_known(live):
    assert not live.connected
    assert not live._answers()


def test_every_wrong_setting_is_named():
    with pytest.raises(BadRequest, match="hours, porte") as caught:
        Config.parse({"porte": 1, "hours": "8", "port": 443})
    assert "wormbase_board" in str(caught.value)
    assert Config.parse({"port": 443}).port == 443
