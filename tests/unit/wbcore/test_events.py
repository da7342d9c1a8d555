"""wbcore.events: tags and payloads, and that an event only names a build."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore import events
from wbcore.errors import BadRequest
from wbcore.events import Announcement
from wbcore.names import Build
from wbmaster.steps import STEPS


def test_tags_are_those_that_people_listen_to():
    assert events.BUILD_READY == "wormbase/build/ready"
    assert events.release_tag(Build(221), "go_live", "start") == (
        "wormbase/release/WS221/go_live/start"
    )
    assert events.progress_tag("WS221", "push_acedb") == (
        "wormbase/release/WS221/push_acedb/progress"
    )


@pytest.mark.parametrize(
    ("step", "phase"), [("Go", "done"), ("go/live", "done"), ("", "done"), ("go_live", "ended")]
)
def test_release_tag_of_anything_else_is_refused(step, phase):
    with pytest.raises(BadRequest):
        events.release_tag("WS221", step, phase)


@given(
    st.sampled_from(["WS221", "none"]),
    st.sampled_from([*STEPS, "run"]),
    st.sampled_from(events.PHASES),
)
def test_parse_tag_reads_what_release_tag_wrote(build, step, phase):
    assert events.parse_tag(events.release_tag(build, step, phase)) == (build, step, phase)


@pytest.mark.parametrize(
    "tag",
    [
        "",
        "wormbase/build/ready",
        "salt/job/1/ret/wb-web1",
        "wormbase/release/WS221/go_live",
        "wormbase/release/WS221/go_live/done/more",
        "wormbase/release/WS221/go_live/ended",
        "wormbase/release/WS221/GO/done",
        "x/wormbase/release/WS221/go_live/done",
    ],
)
def test_parse_tag_of_any_other_tag_is_none(tag):
    assert events.parse_tag(tag) is None


def test_progress_is_plain_and_whole():
    payload = events.progress(Build(221), "push_acedb", "wb-web1", "acedb/x", 5, 10, 2.5)

    assert payload == {
        "build": "WS221",
        "step": "push_acedb",
        "node": "wb-web1",
        "dataset": "acedb/x",
        "done": 5,
        "total": 10,
        "rate": 2.5,
    }


@pytest.mark.parametrize(
    ("payload", "cause", "sender"),
    [
        ({"build": "WS221"}, "event", ""),
        ({"build": "WS221", "cause": "landed"}, "landed", ""),
        ({"build": "WS221", "cause": "supervisor"}, "event", ""),
        # As Salt's event.send of a minion arrives.
        (
            {"id": "wb-dev", "tag": "x", "data": {"build": "WS221", "cause": "landed"}},
            "landed",
            "wb-dev",
        ),
        ({"id": "wb-gb1", "build": "WS221"}, "event", "wb-gb1"),
    ],
)
def test_announced_reads_the_build_and_who_said_it(payload, cause, sender):
    assert events.announced(payload) == Announcement(Build(221), cause, sender)


@pytest.mark.parametrize("sender", ["../wb-dev", "wb-dev\n", "x" * 64, None, 7, ["wb-dev"], {}])
def test_announced_of_a_sender_that_is_no_minion_is_refused(sender):
    with pytest.raises(BadRequest):
        events.announced({"id": sender, "data": {"build": "WS221"}})


@given(
    st.recursive(
        st.none() | st.text() | st.integers() | st.just("WS221"),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.sampled_from(["data", "build", "cause", "id"]), inner)
        ),
    )
)
def test_announced_lets_nothing_but_a_build_through(payload):
    try:
        said = events.announced(payload)
    except BadRequest:
        return
    assert isinstance(said.build, Build)
    assert said.cause in ("landed", "event")
    assert len(said.sender) < 64


def test_an_answer_is_plain_and_whole():
    said = Announcement(Build(221), "landed", "wb-dev")

    assert events.answered(said, "answered", "it is live") == {
        "build": "WS221",
        "cause": "landed",
        "sender": "wb-dev",
        "state": "answered",
        "answer": "it is live",
    }
