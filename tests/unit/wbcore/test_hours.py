"""wbcore.hours: when a landing may go live."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.hours import Hours

# A Monday.
MONDAY = datetime(2010, 12, 20, tzinfo=UTC)
CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


def at(day: int, clock: str) -> datetime:
    hour, minute = map(int, clock.split(":"))
    return MONDAY.replace(day=20 + day, hour=hour, minute=minute, second=59)


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        (
            "mon-fri 06:00-18:00",
            [(0, "06:00"), (4, "17:59")],
            [(0, "05:59"), (0, "18:00"), (5, "09:00")],
        ),
        ("06:00-18:00", [(6, "06:00")], [(6, "18:00")]),
        ("sat 00:00-24:00", [(5, "00:00"), (5, "23:59")], [(4, "23:59"), (6, "00:00")]),
        ("sat-mon 08:00-09:00", [(5, "08:00"), (6, "08:30"), (0, "08:59")], [(1, "08:30")]),
        (
            "fri 22:00-04:00",
            [(4, "22:00"), (5, "03:59")],
            [(4, "03:00"), (5, "04:00"), (5, "22:00")],
        ),
        ("sun 22:00-04:00", [(6, "23:00"), (0, "01:00")], [(6, "01:00"), (0, "23:00")]),
        ("", [(0, "00:00"), (6, "23:59")], []),
    ],
)
def test_hours_are_of_their_days(text, inside, outside):
    hours = Hours.parse(text)

    assert all(hours.contain(at(*one)) for one in inside)
    assert not any(hours.contain(at(*one)) for one in outside)


@pytest.mark.parametrize(
    "text",
    [
        *("9-5", "mon", "mon-fri", "mon-fri 6:00-18:00", "mon-fri  06:00-18:00", "06:00-25:00"),
        *("06:60-07:00", "06:00-06:00", "24:00-06:00", "mon-fri,sun 06:00-18:00", "06:00-18:00\n"),
        *("montag 06:00-18:00", "mon-xxx 06:00-18:00", "Mon 06:00-18:00", " ", "24:30-01:00"),
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError):
        Hours.parse(text)


@given(CLOCK, CLOCK, st.integers(0, 6), CLOCK)
def test_a_span_and_its_complement_are_the_whole_week(begin, end, day, clock):
    if begin == end:
        return
    moment = at(day, clock)

    assert Hours.parse(f"{begin}-{end}").contain(moment) != Hours.parse(f"{end}-{begin}").contain(
        moment
    )


@given(st.text(max_size=20))
def test_any_text_is_hours_or_refused(text):
    try:
        Hours.parse(text)
    except ValueError:
        return
