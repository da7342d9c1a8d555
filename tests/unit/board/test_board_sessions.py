"""Sessions end, forms are the browser's own, and passwords are not guessed."""

import pytest

from board.sessions import Sessions


class Clock:
    """A time that tests move."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(clock):
    return Sessions(idle=60, longest=300, now=clock)


def test_a_session_that_nobody_uses_ends(sessions, clock):
    key = sessions.begin("olga", "token", True, 9e9)
    clock.now += 59
    assert sessions.find(key).name == "olga"
    clock.now += 59
    assert sessions.find(key)
    clock.now += 61
    assert sessions.find(key) is None
    clock.now -= 61
    assert sessions.find(key) is None


def test_a_page_that_follows_is_no_use_of_a_session(sessions, clock):
    key = sessions.begin("olga", "token", True, 9e9)
    for _ in range(3):
        clock.now += 25
        found = sessions.find(key, touch=False)
    assert found is None


@pytest.mark.parametrize(("expires", "lives"), [(9e9, 300), (1100.0, 100)])
def test_a_session_ends_with_its_hours_or_with_the_token(sessions, clock, expires, lives):
    key, began = sessions.begin("olga", "token", True, expires), clock.now
    while clock.now - began < lives - 30:
        clock.now += 30
        assert sessions.find(key) or clock.now - began >= lives
    clock.now = began + lives
    assert sessions.find(key) is None


def test_a_person_who_logs_out_is_out(sessions):
    key = sessions.begin("olga", "token", True, 9e9)
    sessions.end(key)
    assert sessions.find(key) is None


def test_a_seal_is_of_one_browser(sessions, clock):
    mine, other = sessions.new_key(), sessions.new_key()

    assert sessions.is_sealed(mine, sessions.seal(mine))
    assert not sessions.is_sealed(mine, sessions.seal(other))
    assert not sessions.is_sealed("", sessions.seal(""))
    assert not Sessions(60, 300).is_sealed(mine, sessions.seal(mine))


def test_an_address_that_guesses_waits(sessions, clock):
    for _ in range(10):
        assert sessions.may_guess("192.0.2.1")
        sessions.guessed_wrong("192.0.2.1")

    assert not sessions.may_guess("192.0.2.1")
    assert sessions.may_guess("192.0.2.2")
    clock.now += 61
    assert sessions.may_guess("192.0.2.1")


def test_a_token_is_not_printed(sessions):
    key = sessions.begin("olga", "the-token", True, 9e9)
    assert "the-token" not in repr(sessions.find(key))
