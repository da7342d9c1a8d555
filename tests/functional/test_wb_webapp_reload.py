"""A reload of the webapp, with a real Starman and a ``systemctl`` of the test's own."""

from __future__ import annotations

import pytest
from starmen import free_port, make_release, starman

RELEASE = "WS221-2010.12.24-0.02-1"


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def pillar(pillar, port):
    return pillar | {"webapp": {"port": port}}


@pytest.fixture
def live(layout):
    """The live release."""
    place = make_release(layout.website / RELEASE)
    layout.production.symlink_to(RELEASE)
    return place


@pytest.fixture
def reloaded(layout, tmp_path, monkeypatch):
    """Which Starmans live before a reload, and after it."""

    def reloaded(before, after):
        layout.starman_generations.parent.mkdir(parents=True)
        layout.starman_generations.write_text(before)
        program = tmp_path / "systemctl"
        program.write_text(f"#!/bin/sh\necho {after} > {layout.starman_generations}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return reloaded


@pytest.mark.parametrize("after", ["3:4712", "1:4712"], ids=["taken over", "started anew"])
def test_a_reload_ends_when_another_starman_serves(modules, live, port, reloaded, after):
    reloaded("2:4711\n", after)
    with starman(live / "app.psgi", port, live):
        assert modules["wb_webapp.reload"]()["release"] == RELEASE
