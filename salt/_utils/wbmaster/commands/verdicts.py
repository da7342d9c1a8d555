"""Saying something about a build: hold, bad, accepted, and taking it back."""

from __future__ import annotations

from wbcore import requests
from wbcore.errors import BadRequest
from wbcore.names import Build
from wbcore.verdicts import ACCEPTED, BAD, HOLD

from ..office import Office
from ..run import who

_WORDS = {HOLD: "held", BAD: "marked bad", ACCEPTED: "accepted"}


def hold(office: Office, build: str, reason: str) -> str:
    """Nothing, or nothing of this build, goes live until it is lifted."""
    named = Build.parse(build) if build else None
    office.ledger.judge(HOLD, named, requests.reason(reason), who())
    return f"{named or 'Everything'} is held: nothing of it goes live until unhold"


def unhold(office: Office, build: str) -> str:
    """Lift a hold."""
    named = Build.parse(build) if build else None
    return _lifted(office, HOLD, named, f"{named or 'Everything'} may go live again")


def bad(office: Office, build: str, reason: str) -> str:
    """The build never goes live."""
    named = Build.parse(build)
    if named == getattr(office.ledger.known().live, "build", None):
        raise BadRequest(f"{named} is live", "go back first with orch.rollback")
    office.ledger.judge(BAD, named, requests.reason(reason), who())
    return f"{named} is marked bad: it is not released, and goes first when room is needed"


def good(office: Office, build: str) -> str:
    """The build is not bad after all."""
    named = Build.parse(build)
    return _lifted(office, BAD, named, f"{named} is no longer marked bad")


def accept(office: Office, build: str, reason: str) -> str:
    """The build, as it is sealed now, goes live whatever the gate on contents says."""
    named, why = Build.parse(build), requests.reason(reason)
    office.ledger.judge(ACCEPTED, named, why, who(), _sealed(office, named))
    office.ledger.lift(HOLD, named)
    return (
        f"{named} is accepted as it is sealed now; "
        f"orch.release pillar='{{build: {named}}}' makes it live"
    )


def unaccept(office: Office, build: str) -> str:
    """The build is judged by the gate on contents again."""
    named = Build.parse(build)
    return _lifted(office, ACCEPTED, named, f"{named} is no longer accepted")


def _sealed(office: Office, build: Build) -> str:
    """The digest of a build's sealing; BadRequest before it is sealed."""
    staging = office.settings.staging
    survey = office.fleet.one(staging, "wb_build.survey", "bring it back first", build=str(build))
    if not survey.get("sealed"):
        raise BadRequest(
            f"{build} is not sealed, so nobody can say what would be accepted",
            f"let the gate look at it first: orch.push pillar='{{build: {build}}}'",
        )
    return str(survey["sealed"])


def _lifted(office: Office, kind: str, build: Build | None, done: str) -> str:
    return (
        done
        if office.ledger.lift(kind, build)
        else f"{build or 'Everything'} was not {_WORDS[kind]}"
    )
