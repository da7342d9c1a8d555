"""What the master tells each node has to be live there: from the ledger, and from it alone."""

from __future__ import annotations

import datetime

from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.names import Build, Release
from wbsite import PROXY, REMOTE, STAGING, WEB, sentences

BEFORE, AFTER = (
    Release(Build(number), datetime.date(2010, 12, 24), "0.02", 1350) for number in (220, 221)
)


def told(site, node):
    """The pillar root ``wormbase`` of a node, made anew by the master."""
    return site.ask(node, "pillar.items", unmask=True)["wormbase"]


def release(site, name):
    """Let the ledger have a release that is live."""
    datasets = (f"acedb/wormbase_{name.build}", f"support/{name.build}/gene", f"webapp/{name}")
    databases = {"c_elegans": f"c_elegans_{name.build}"}
    site.ledger.record_release(ReleaseRecord(name, "aa", "bb", databases, datasets))
    site.ledger.pass_switch("a-run", name, "forward")


def test_nothing_is_live_before_the_first_release(site):
    assert told(site, WEB)["live"] == {}
    assert not site.office.ledger.exists()


def test_a_first_release_on_its_way_is_told(site):
    site.ledger.begin_switch("a-run", None, AFTER)
    assert told(site, WEB)["live"] == {"going_live": True}


def test_each_node_is_told_what_its_roles_need(site):
    release(site, BEFORE)
    live = told(site, WEB)["live"]
    assert (live["release"], live["build"]) == (str(BEFORE), "WS220")
    assert live["datasets"] == ["support/WS220/gene", f"webapp/{BEFORE}"]
    assert live["links"] == {"production": str(BEFORE)}
    assert live["manifests"] == {"WS220": "bb", str(BEFORE): "aa"}
    assert live["going_live"] is False
    assert told(site, REMOTE)["live"]["datasets"] == ["support/WS220/gene"]
    assert told(site, PROXY)["live"]["datasets"] == []


def test_a_change_over_under_way_is_told_with_what_is_still_live(site):
    release(site, BEFORE)
    site.ledger.begin_switch("a-run", BEFORE, AFTER)
    live = told(site, WEB)["live"]
    assert (live["release"], live["going_live"]) == (str(BEFORE), True)
    site.ledger.undo_switch()
    assert told(site, WEB)["live"]["going_live"] is False


def test_a_ledger_that_can_not_be_read_is_not_taken_for_an_empty_one(site):
    site.office.ledger.write_bytes(b"not a database at all" * 100)
    for node in (STAGING, WEB):
        assert "live" not in told(site, node)


def test_a_node_that_the_pillar_does_not_name_is_told_nothing(site):
    release(site, BEFORE)
    shown = site.run("pillar.show_pillar", "stranger")
    assert "live" not in shown.data["wormbase"]


def test_no_run_begins_on_a_ledger_that_can_not_be_read(site):
    site.office.ledger.write_bytes(b"not a database at all" * 100)
    refused = site.orch("push", "{build: WS221}")
    assert refused.returncode != 0
    assert sentences(refused) == [
        f"the ledger {site.office.ledger} can not be used (file is not a database); "
        "see to its disk, or put a copy of it back"
    ]
