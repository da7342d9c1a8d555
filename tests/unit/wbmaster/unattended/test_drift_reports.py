"""wbmaster.unattended.drift_reports: what the master records of what nodes tell."""

from types import SimpleNamespace

import pytest
from cluster import settings
from wbcore.drift import Change, Report
from wbcore.errors import BadRequest
from wbmaster.ledger import Ledger
from wbmaster.unattended import drift_reports


@pytest.fixture
def office(tmp_path):
    """The master's tools, as far as they are used."""
    return SimpleNamespace(settings=settings(), ledger=Ledger(tmp_path / "ledger.sqlite"))


def test_what_a_node_tells_is_recorded_and_shown(office):
    report = Report.of("fe", "drift", [Change.of("nginx is configured", "diff")])
    drift_reports.record(office, "fe", report.plain())
    (shown,) = drift_reports.shown(office, 9, "fe")

    assert shown["changes"] == ["nginx is configured: diff"]
    assert drift_reports.shown(office, 9, "wb-web1") == []


@pytest.mark.parametrize("node", ["stranger", "", None])
def test_what_is_no_node_is_refused(office, node):
    with pytest.raises(BadRequest):
        drift_reports.record(office, node, {})
