"""Who is logged in, in memory alone: after a restart of the board everybody logs in again."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

# A person, or a program, that guesses passwords waits.
_GUESSES = 10
_GUESS_SECONDS = 60
_MOST = 1000


@dataclass
class Session:
    """A person who is logged in.

    operator
        Whether they may start runs: what the pages show; what they may do the master decides.
    ends
        Seconds since 1970.
    """

    name: str
    token: str = field(repr=False)
    operator: bool
    ends: float
    used: float


class Sessions:
    """Sessions by the secret that a browser keeps."""

    def __init__(self, idle: float, longest: float, now: Callable[[], float] = time.time) -> None:
        self._idle, self._longest, self._now = idle, longest, now
        self._secret = secrets.token_bytes(32)
        self._sessions: dict[str, Session] = {}
        self._failures: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def new_key(self) -> str:
        """A secret for a browser."""
        return secrets.token_urlsafe(32)

    def begin(self, name: str, token: str, operator: bool, expires: float) -> str:
        """Log a person in; the secret of the session, which ends no later than the token."""
        now, key = self._now(), self.new_key()
        ends = min(expires, now + self._longest)
        with self._lock:
            self._sessions = {
                one: session for one, session in self._sessions.items() if self._lives(session)
            }
            self._sessions[key] = Session(name, token, operator, ends, now)
        return key

    def find(self, key: str, touch: bool = True) -> Session | None:
        """The session of a secret, unless it has ended; asking for it is using it."""
        with self._lock:
            session = self._sessions.get(key)
            if session is None or not self._lives(session):
                self._sessions.pop(key, None)
                return None
            if touch:
                session.used = self._now()
            return session

    def end(self, key: str) -> None:
        """Log a person out."""
        with self._lock:
            self._sessions.pop(key, None)

    def seal(self, key: str) -> str:
        """What a form of this browser must bring back: no other site can know it."""
        return hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()

    def is_sealed(self, key: str, seal: str) -> bool:
        """Whether a form came from a page that this browser was given."""
        return bool(key) and hmac.compare_digest(self.seal(key).encode(), seal.encode())

    def may_guess(self, address: str) -> bool:
        """Whether an address may try a password now."""
        with self._lock:
            return len(self._recent(address)) < _GUESSES

    def guessed_wrong(self, address: str) -> None:
        """Count a wrong password."""
        with self._lock:
            if len(self._failures) > _MOST:
                self._failures.clear()
            self._recent(address).append(self._now())

    def _recent(self, address: str) -> deque[float]:
        failures = self._failures.setdefault(address, deque())
        while failures and failures[0] < self._now() - _GUESS_SECONDS:
            failures.popleft()
        return failures

    def _lives(self, session: Session) -> bool:
        now = self._now()
        return now < session.ends and now - session.used < self._idle
