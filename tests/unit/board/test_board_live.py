"""What is heard on the bus, and by how many."""

import threading
import time

import pytest
from wbcore.errors import BadRequest

from board.config import Config
from board.live import Live, Shared

SEAL = "wormbase/release/WS221/seal"


@pytest.fixture
def live(tmp_path):
    return Live(None, str(tmp_path))


def progress(node="wb-dev", **more):
    return {"node": node, "dataset": "acedb", "done": 5, "total": 10, "rate": 1, **more}


def test_a_node_at_work_is_shown_until_it_has_done(live):
    live.heard(f"{SEAL}/progress", progress())
    assert live.moving["seal", "wb-dev"].done == 5

    live.heard(f"{SEAL}/progress", {"node": "wb-dev", "complete": True})
    assert live.moving == {}


@pytest.mark.parametrize("phase", ["start", "done", "failed"])
def test_a_step_that_ends_has_nobody_at_work(live, phase):
    live.heard(f"{SEAL}/progress", progress())
    live.heard(f"{SEAL}/{phase}", {})
    assert live.moving == {}


def test_foreign_events_and_floods_are_left_out(live):
    live.heard("salt/job/1/ret/wb-web1", {"return": "secret"})
    live.heard("wormbase/release/WS221/seal/progress/more", progress())
    for number in range(1000):
        live.heard(f"{SEAL}/progress", progress(f"node{number}"))
    assert len(live.moving) == 100


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
    shared = Shared(lambda: drawn.append(1) or f"drawing {len(drawn)}", lambda: clock[0])

    assert {shared.text() for _ in range(20)} == {"drawing 1"}
    clock[0] += 1
    assert {shared.text() for _ in range(20)} == {"drawing 2"}


def test_a_master_that_is_not_there_is_known(live):
    assert not live.connected
    assert not live._answers()


def test_every_wrong_setting_is_named():
    with pytest.raises(BadRequest, match="hours, porte") as caught:
        Config.parse({"porte": 1, "hours": "8", "port": 443})
    assert "wormbase_board" in str(caught.value)
    assert Config.parse({"port": 443}).port == 443
