"""From a node's report to the ledger: only what a node of the site would tell is recorded."""

from __future__ import annotations

import os

from wbcore import events
from wbcore.drift import Change, Report
from wbcore.enforcement import schedule
from wbsite import PROXY, WEB, eventually

REPORT = Report.of(WEB, "drift", [Change.of("the links are right", "acedb: WS1 -> WS221")])


def test_report_of_a_node_is_recorded_and_shown(site):
    site.ask(WEB, "event.send", events.drift_tag(WEB), REPORT.plain())
    eventually("it is recorded", lambda: site.ledger.drift(9))
    (shown,) = site.run("wb_release.drift", f"node={WEB}").data
    assert (shown["node"], shown["kind"], shown["times"]) == (WEB, "drift", 1)
    assert shown["changes"] == ["the links are right: acedb: WS1 -> WS221"]
    assert site.run("wb_release.drift", f"node={PROXY}").data == []
    assert "is not a node" in site.run("wb_release.drift", "node=stranger").stdout


def test_what_no_node_would_tell_is_not_recorded_and_is_no_error(site):
    log = site.master.config["log_file"]
    begins = os.path.getsize(log)
    wrong = [
        (events.drift_tag(PROXY), REPORT.plain()),
        (events.drift_tag("stranger"), {**REPORT.plain(), "node": "stranger"}),
        (events.drift_tag(WEB), {**REPORT.plain(), "kind": "worse"}),
        (events.drift_tag(WEB), {**REPORT.plain(), "changes": [{"id": "x" * 999, "what": ""}]}),
        (events.drift_tag(WEB), "drift"),
        (events.joined_tag("a/b"), {}),
    ]
    site.ask_often(WEB, "event.send", [*map(list, wrong), [events.drift_tag(WEB), REPORT.plain()]])
    eventually("the last is recorded", lambda: site.ledger.drift(9))
    assert [row["node"] for row in site.ledger.drift(9)] == [WEB]
    with open(log, "rb") as lines:
        lines.seek(begins)
        assert b"Traceback" not in lines.read()


def test_nodes_get_their_schedule_from_the_pillar(site):
    shown = site.ask(WEB, "pillar.items", unmask=True)
    assert shown["schedule"] == schedule.schedule()
