"""wbcore.golive.canary: whether a new release answers as the one before does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.golive import canary, error_rate
from wbcore.settings import GoLive

LIMITS = GoLive(slower_times=3.0, numbers_times=2.0)
PAGE = "<html>" + "<tr><a href='x'>exon</a></tr>" * 40 + "</html>"


def answer(status=200, seconds=0.1, body=PAGE):
    told = {"numbers": canary.numbers(body)} if status else {"body": body}
    return {"status": status, "seconds": seconds, **told}


OLD = [answer(seconds=seconds) for seconds in (0.1, 0.2, 0.3)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (OLD, answer(), ""),
        (OLD, answer(500), "answers 500 instead of 200"),
        (OLD, answer(0, body="TimeoutError"), "gives no answer (TimeoutError)"),
        (OLD, answer(404), "answers 404 instead of 200"),
        # A page that was never there need not be there now; one that comes is a difference.
        ([answer(404)], answer(404), ""),
        ([answer(404)], answer(200), "answers 200 instead of 404"),
        # That both give no proper answer does not make it one.
        ([answer(0, body="TimeoutError")] * 2, answer(0, body="TimeoutError"), "gives no answer"),
        ([answer(500)] * 2, answer(500), "answers 500 instead of 200"),
        ([answer(0, body="TimeoutError")] * 2, answer(), ""),
        # One node of those that serve may be ill itself.
        ([answer(502), answer(), answer()], answer(), ""),
        (OLD, answer(seconds=1.0), ""),
        (OLD, answer(seconds=1.2), "takes 1.2 s instead of 0.2 s"),
        (OLD, answer(body=PAGE.replace("exon", "")[:-200]), ""),
        (OLD, answer(body="x" * 300), "instead of"),
        (OLD, answer(body="<tr>" * 300), "has 0 links instead of 40"),
        ([answer(body="")], answer(body="x" * 400), ""),
        ([answer(body={"release": "WS220"})], answer(body={"release": "WS221"}), ""),
        ([answer(body={"a": 1, "b": 2})], answer(body={"a": 1}), ""),
        ([answer(body={"a": 1, "b": 2, "c": 3})], answer(body={"a": 1}), "has 1 fields"),
        # Of a first release there is nothing to compare with.
        ([], answer(), ""),
        ([], answer(500), "answers 500 instead of 200"),
    ],
)
def test_what_differs_too_much_is_told(old, new, says):
    told = canary.problem(old, new, LIMITS)

    assert says in told and bool(says) == bool(told)


@given(st.floats(0, 30), st.text(max_size=2000), st.sampled_from([200, 302, 404]))
def test_an_answer_is_as_good_as_itself(seconds, body, status):
    same = answer(status, seconds, body)
    assert canary.problem([same, same], same, LIMITS) == ""


@pytest.mark.parametrize(
    ("before", "after", "bad"),
    [
        ((1000, 0), (1000, 0), False),
        ((1000, 0), (1000, 10), False),
        ((1000, 0), (1000, 11), True),
        ((1000, 100), (1000, 110), False),
        ((1000, 100), (1000, 111), True),
        # Two failures of five are no rate.
        ((1000, 0), (5, 2), False),
        ((0, 0), (5, 3), True),
        ((0, 0), (0, 0), False),
    ],
)
def test_more_failures_than_before_are_too_many(before, after, bad):
    counted = [dict(zip(("answers", "errors"), one, strict=True)) for one in (before, after)]

    assert error_rate.too_many(*counted, percent=1.0) is bad


def test_what_counts_as_a_failure_is_an_answer_of_the_server():
    assert error_rate.count([200, 404, 499, 500, 502, 503]) == {"answers": 6, "errors": 3}


@pytest.mark.parametrize(
    ("now", "counted"),
    [((120, 5), (20, 3)), ((100, 2), (0, 0)), ((7, 1), (7, 1))],
)
def test_since_takes_a_lower_counter_for_a_new_one(now, counted):
    named = [dict(zip(("answers", "errors"), one, strict=True)) for one in ((100, 2), now, counted)]
    assert error_rate.since(*named[:2]) == named[2]
