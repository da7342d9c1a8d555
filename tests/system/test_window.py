"""How long visitors see the maintenance page.

It comes late among the tests of the lab: beside a second lab a limit in seconds says nothing.
"""

from __future__ import annotations

from glance import live
from labclient import Lab
from site_of import Visitors, commit, pillar


def test_behind_the_maintenance_page(lab: Lab) -> None:
    commit(lab, "date >> README")
    build = live(lab).partition("-")[0]
    with pillar(lab, "golive", way="maintenance"), Visitors(lab) as visitors:
        done = lab.orch("release", {"build": build, "minor": True})
    assert done.returncode == 0, done.stdout + done.stderr
    assert not visitors.mixed and not visitors.late and not visitors.failed
    assert visitors.closed and visitors.window <= 5
