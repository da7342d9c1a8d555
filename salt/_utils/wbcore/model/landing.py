"""A landing: a build that became ``READY``, or a new revision of the webapp, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import requests
from ..events import LANDED
from ..names import Build, Release
from ..requests import Request

# Not decided yet; to be decided again when something has ended or come; a run has it; closed.
NEW, WAITING, STARTED, ANSWERED = "new", "waiting", "started", "answered"
OPEN = (WAITING, STARTED)
# A run that was started and is not in the ledger after so many seconds never began.
BEGIN_SECONDS = 60
MOST_STARTS = 3


@dataclass(frozen=True)
class Landing:
    """A row of the ledger's table ``landing``.

    revision
        '' for a build; version and revision of the webapp (``0.02-1351``) for a minor
        revision of a live build.
    cause
        Who told of it: ``landed`` (the beacon), ``poll``, ``event`` (``event.send`` on the
        development server) or ``command`` (a person on the master).
    seen, acknowledged, decided
        Seconds since 1970; ``acknowledged`` is 0 until the development server knows.
    started, starts
        The kind of the last run that was started for it, and how many were.
    """

    build: Build
    revision: str = ""
    cause: str = LANDED
    seen: float = 0.0
    acknowledged: float = 0.0
    decided: float = 0.0
    state: str = NEW
    started: str = ""
    starts: int = 0
    answer: str = ""

    @property
    def request(self) -> Request:
        """The release that it asks for."""
        return Request(requests.RELEASE, self.build, minor=bool(self.revision))

    def __str__(self) -> str:
        return f"{self.build} with webapp {self.revision}" if self.revision else str(self.build)


def settled(
    landing: Landing, outcome: str | None, error: str, at_work: bool, now: float
) -> Landing:
    """A landing that has a run, as that run ended.

    outcome
        How the run ended; None when the ledger has none that did since it was started.
    """
    if landing.state != STARTED:
        return landing
    if outcome in ("done", "failed"):
        ended = "is done" if outcome == "done" else "failed"
        answer = f"the {landing.started} of {landing} {ended}"
        return replace(landing, state=ANSWERED, answer=": ".join(filter(None, (answer, error))))
    if at_work or now - landing.decided < BEGIN_SECONDS:
        return landing
    if landing.starts >= MOST_STARTS:
        answer = f"the {landing.started} of {landing} did not begin when it was started"
        return replace(landing, state=ANSWERED, answer=f"{answer} (see runs.log on the master)")
    # What never began has done nothing.
    return replace(landing, state=WAITING, started="")


def revision_of(release: Release) -> str:
    """The webapp of a release as a landing names it."""
    return f"{release.webapp}-{release.revision}"
