"""What bench/scale makes of its figures, without a master."""

from __future__ import annotations

from typing import Any

import pytest

from bench import growth, meter

SIZES = (8, 16, 32, 64)


def rows(**curves: Any) -> list[dict[str, Any]]:
    """Rows whose figures follow functions of the nodes; what is not given is flat."""
    flat = {name: lambda n: 5 for name in ("cpu", "events", "steps")}
    figures = {
        "seconds": 1.0,
        "master_cpu": 1.0,
        "command_cpu": 1.0,
        "node_cpu": 1.0,
        "rss": 1.0,
        "pss": 1.0,
    }
    return [
        {
            "nodes": size,
            "push": figures | {name: curve(size) for name, curve in (flat | curves).items()},
            "again": {"seconds": 2.0, "cpu": 1.0},
        }
        for size in SIZES
    ]


@pytest.mark.parametrize(
    "curve",
    [
        lambda n: 300,
        lambda n: 4 * n,
        lambda n: 90 + 4 * n,
        lambda n: 3 + 0.3 * n + (0.4 if n == 32 else 0),
    ],
)
def test_a_line_with_a_constant_and_some_noise_is_linear(curve: Any) -> None:
    assert growth.faults(rows(cpu=curve, events=curve)) == []


@pytest.mark.parametrize("curve", [lambda n: n * n, lambda n: 500 + 0.2 * n * n])
def test_a_square_is_found_whatever_constant_is_below_it(curve: Any) -> None:
    [first, second] = growth.faults(rows(events=curve))
    assert first.startswith("events grow more than linearly up to 32 nodes")
    assert second.startswith("events grow more than linearly up to 64 nodes")


def test_steps_have_to_be_as_many_for_every_size() -> None:
    [fault] = growth.faults(rows(steps=lambda n: 6 + (n == 64)))
    assert "not constant: {8: 6, 16: 6, 32: 6, 64: 7}" in fault


def test_the_table_has_a_row_for_each_size_and_tells_of_an_idle_run() -> None:
    told = growth.table(rows()).splitlines()
    assert [line.split()[0] for line in told[1:]] == ["8", "16", "32", "64"]
    assert growth.idle_line(rows()).endswith("(under 5.0: met)")
    assert growth.idle_line(rows()[1:]) == "nothing to do: not measured with 8 nodes"


@pytest.mark.parametrize(
    ("tag", "kind"),
    [
        ("salt/job/20261125/ret/wb-dev", "salt/job/*/ret"),
        ("salt/job/20261125/new", "salt/job/*/new"),
        ("wormbase/release/WS221/push_support/done", "wormbase/release/*/done"),
        ("salt/run/20261125/new", "salt/run/*"),
        ("20261125", "other"),
    ],
)
def test_events_are_told_apart_by_what_they_are(tag: str, kind: str) -> None:
    assert meter.kind_of(tag) == kind
