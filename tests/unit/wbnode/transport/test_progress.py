"""The progress of a long function reaches the master as events."""

from __future__ import annotations

import pytest
from wbcore.build import manifest
from wbnode.transport import progress


@pytest.mark.parametrize("name", ["WS221", "WS221-2010.12.24-0.02-1350"])
def test_meter_sends_the_event_of_the_step(name):
    sent = []
    meter = progress.meter(
        lambda *event: sent.append(event), {"id": "wb-web1"}, manifest.parse_name(name), "push", 9
    )
    meter._every = 0
    meter.add("mysql/c_elegans_WS221", 3)
    ((tag, payload),) = sent
    assert tag == "wormbase/release/WS221/push/progress"
    assert payload.pop("rate") > 0
    assert payload == {
        "build": "WS221",
        "step": "push",
        "node": "wb-web1",
        "dataset": "mysql/c_elegans_WS221",
        "done": 3,
        "total": 9,
    }


def test_meter_sends_nothing_under_salt_call():
    sent = []
    opts = {"id": "wb-web1", "__cli": "salt-call"}
    meter = progress.meter(sent.append, opts, manifest.parse_name("WS221"), "push", 9)
    meter._every = 0
    meter.add("mysql/c_elegans_WS221", 3)
    assert sent == []
