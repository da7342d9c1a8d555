"""wbcore.enforcement.scrub_plan: every dataset is read again in time, some of them each night."""

from hypothesis import given
from hypothesis import strategies as st
from wbcore.enforcement.scrub_plan import DAY, Read, tonight

SIZES = st.lists(st.integers(0, 10**12), min_size=1, max_size=30)


@given(SIZES, st.integers(3, 60), st.data())
def test_every_dataset_is_read_within_the_days(sizes, days, data):
    now, last = 0.0, {str(number): 0.0 for number in range(len(sizes))}
    for _ in range(2 * days):
        # A night comes an hour late at most.
        now += DAY + data.draw(st.sampled_from([0, 1800, 3600]))
        held = [Read(name, sizes[int(name)], when) for name, when in last.items()]
        for one in tonight(held, now, days):
            assert now - one.when <= days * DAY
            last[one.dataset] = now
        assert all(now - when <= days * DAY for when in last.values())


@given(SIZES, st.integers(3, 60))
def test_no_night_reads_much_more_than_its_share(sizes, days):
    held = [Read(str(number), size, 0.0) for number, size in enumerate(sizes)]

    read = sum(one.bytes for one in tonight(held, DAY, days)) if days > 3 else 0
    assert read <= sum(sizes) / (days - 2) + max(sizes)


def test_what_was_not_read_for_longest_comes_first():
    held = [Read("new", 10, 5 * DAY), Read("old", 10, 3 * DAY), Read("oldest", 10, 2 * DAY)]

    assert [one.dataset for one in tonight(held, 6 * DAY, 30)] == ["oldest"]


def test_nothing_held_is_nothing_to_read():
    assert tonight([], 0.0, 30) == []


def test_what_was_stamped_by_a_clock_that_was_ahead_counts_as_never_read():
    held = [Read("ahead", 10, 900 * DAY), Read("old", 10, 471 * DAY), Read("new", 10, 499 * DAY)]

    assert [one.dataset for one in tonight(held, 500 * DAY, 30)] == ["ahead", "old"]
