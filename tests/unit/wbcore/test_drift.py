"""wbcore.drift: what a node tells of itself is short, and the master takes nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore import drift, events
from wbcore.drift import LONGEST, MOST, Change, Report
from wbcore.errors import BadRequest

STATES = {
    "wb_link_|-links_|-links_|-switched": {
        "__id__": "the live links are right",
        "name": "links",
        "result": True,
        "comment": "It was changed.",
        "changes": {"acedb": {"old": "wormbase_WS1", "new": "wormbase_WS221"}},
    },
    "file_|-x_|-/etc/x_|-managed": {
        "__id__": "nginx is configured",
        "name": "/etc/x",
        "result": True,
        "comment": "",
        "changes": {"diff": "--- \n+++ \n+password = secret\n", "mode": "0644"},
    },
    "wb_service_|-y_|-y_|-running": {
        "__id__": "Starman runs",
        "name": "y",
        "result": False,
        "comment": "it did not\nstart",
        "changes": {},
    },
    "file_|-z_|-z_|-managed": {"__id__": "z", "name": "z", "result": True, "changes": {}},
}


def test_states_that_changed_are_drift_and_those_that_failed_are_told_apart():
    changed, failed = drift.of_states("wb-web1", STATES, first=False)

    assert (changed.kind, failed.kind) == ("drift", "failed")
    assert changed.changes == (
        Change("the live links are right", "acedb: wormbase_WS1 -> wormbase_WS221"),
        Change("nginx is configured", "diff; mode: 0644"),
    )
    assert failed.changes == (Change("Starman runs", "it did not start"),)


def test_what_is_applied_for_the_first_time_is_no_drift():
    assert [one.kind for one in drift.of_states("fe", STATES, first=True)] == [
        "caught_up",
        "failed",
    ]


def test_nothing_changed_is_no_report():
    quiet = {"z": {"__id__": "z", "result": True, "changes": {}}}

    assert drift.of_states("fe", quiet, first=False) == []


def test_states_that_do_not_render_are_told():
    (report,) = drift.of_states("fe", ["Rendering SLS failed:\n  boom"], first=False)

    assert report == Report("fe", "failed", (Change("state.apply", "Rendering SLS failed: boom"),))


def test_what_is_too_much_is_counted():
    report = Report.of("fe", "drift", [Change.of(i, "x" * 999) for i in range(MOST + 7)])

    assert (len(report.changes), report.more) == (MOST, 7)
    assert {len(one.what) for one in report.changes} == {LONGEST}


@given(
    st.sampled_from(["wb-web1", "fe"]),
    st.sampled_from(drift.KINDS),
    st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=MOST + 3),
)
def test_the_master_takes_what_a_node_tells(node, kind, changes):
    report = Report.of(node, kind, [Change.of(*change) for change in changes])

    assert events.drifted(events.drift_tag(node), {"id": "x", "data": report.plain()}) == report


GOOD = Report("fe", "drift", (Change("nginx runs", "running"),)).plain()


@pytest.mark.parametrize(
    "wrong",
    [
        {"node": "wb-web1"},
        {"node": None},
        {"kind": "rm -rf"},
        {"kind": ["drift"]},
        {"changes": []},
        {"changes": "x"},
        {"changes": [{"id": "a", "what": "b"}] * (MOST + 1)},
        {"changes": [{"id": "a"}]},
        {"changes": [{"id": "a", "what": "b", "more": "c"}]},
        {"changes": [{"id": "a", "what": 1}]},
        {"changes": [{"id": "a", "what": "b" * (LONGEST + 1)}]},
        {"changes": [{"id": "a\nb", "what": "c"}]},
        {"changes": [{"id": "\x1b[2J", "what": "c"}]},
        {"more": -1},
        {"more": True},
        {"more": 10**9},
    ],
)
def test_the_master_takes_nothing_else(wrong):
    with pytest.raises(BadRequest):
        events.drifted("wormbase/drift/fe", GOOD | wrong)
    assert events.drifted("wormbase/drift/fe", GOOD).plain() == GOOD


@pytest.mark.parametrize("payload", [None, [], "x", {}, {"data": None}, {"data": [1]}])
def test_what_is_no_report_at_all_is_refused(payload):
    with pytest.raises(BadRequest):
        events.drifted("wormbase/drift/fe", payload)


def test_a_node_that_joined_is_named_by_the_tag():
    assert events.joined(events.joined_tag("wb-web3")) == "wb-web3"
    for tag in ("wormbase/joined/", "wormbase/joined/a/b", "wormbase/joined/-rf"):
        with pytest.raises(BadRequest):
            events.joined(tag)
