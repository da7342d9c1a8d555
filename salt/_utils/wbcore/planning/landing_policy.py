"""What a landing starts: a build that became ``READY``, or a new revision of the webapp.

Decided from what the ledger knows and what the pillar ``wormbase:landing`` says, so that
beacon, event and poll come to the same answer however often they ask.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from .. import requests
from ..events import COMMAND
from ..hours import Hours
from ..model.landing import ANSWERED, STARTED, WAITING, Landing, revision_of
from ..names import Release
from ..requests import Request
from ..settings import Landing as Policy
from ..verdicts import Verdict

RELEASE, PUSH = requests.RELEASE, requests.PUSH


@dataclass(frozen=True)
class Facts:
    """What a decision is made of. ``at_work`` is the request of a run at work, or of one that
    died and is to be taken up; ``newer`` a newer build that waits or has a run; ``left``
    whether the build was live and was left by going back."""

    live: Release | None = None
    bad: Verdict | None = None
    hold: Verdict | None = None
    tried: bool = False
    left: bool = False
    at_work: str = ""
    newer: str = ""


@dataclass(frozen=True)
class Decision:
    """The state and the answer of a landing, and the run to start for it."""

    state: str
    answer: str
    start: Request | None = None


def decide(landing: Landing, policy: Policy, facts: Facts, now: datetime) -> Decision:
    """What a landing starts at this moment (UTC), and why."""
    why = _out_of_place(landing, facts.live) or _judged(landing, facts) or _left(landing, policy)
    if why:
        return Decision(ANSWERED, why)
    if facts.at_work or facts.newer:
        return _behind(landing, facts)
    if policy.start == PUSH:
        return _only_pushed(landing)
    if facts.hold:
        held = f"{facts.hold.build or 'everything'} is held by {facts.hold.who}"
        return Decision(WAITING, f"{landing} waits: {held} ({facts.hold.reason})")
    if not Hours.parse(policy.hours).contain(now):
        return _pushed_first(landing, policy.hours)
    return Decision(STARTED, f"the release of {landing} was started", landing.request)


def _only_pushed(landing: Landing) -> Decision:
    policy = "wormbase:landing:start is push"
    if landing.started == PUSH:
        return Decision(ANSWERED, f"{landing} was pushed ({policy})")
    push = Request(PUSH, landing.build)
    return Decision(STARTED, f"the push of {landing} was started ({policy})", push)


def _pushed_first(landing: Landing, hours: str) -> Decision:
    """Outside the hours the databases go to the nodes already, once; a minor revision has none."""
    waits = f"{landing} goes live in the hours of wormbase:landing:hours ({hours} UTC)"
    if landing.revision or landing.started == PUSH:
        return Decision(WAITING, waits)
    push = Request(PUSH, landing.build)
    return Decision(WAITING, f"{waits}; its push was started", push)


def _out_of_place(landing: Landing, live: Release | None) -> str:
    if landing.revision:
        if live is None or live.build != landing.build:
            return f"{landing.build} is not live any more"
        if revision_of(live) == landing.revision:
            return f"{live} is live already"
        return ""
    if live and landing.build < live.build:
        return f"{landing} is older than the live {live}"
    return f"{live} is live already" if live and landing.build == live.build else ""


def _judged(landing: Landing, facts: Facts) -> str:
    """Why what happened to it before keeps it from starting anything, or ''."""
    if facts.bad:
        return f"{landing.build} is marked bad by {facts.bad.who} ({facts.bad.reason})"
    if facts.left:
        again = "only orch.release or orch.golive makes it live again"
        return f"{landing} was left by going back: {again}"
    if facts.tried and landing.cause != COMMAND:
        # After a failure somebody has to look first.
        tried = f"{landing} was tried before (salt-run wb_release.history)"
        return f"{tried}: only a command on the master starts it again"
    return ""


def _left(landing: Landing, policy: Policy) -> str:
    """Why the policy leaves it to a person, or ''."""
    if policy.start not in (RELEASE, PUSH):
        return f"wormbase:landing:start is {policy.start}: nothing was started for {landing}"
    if landing.revision and (not policy.minor or policy.start != RELEASE):
        return f"wormbase:landing:minor does not let {landing} land by itself any more"
    return ""


def _behind(landing: Landing, facts: Facts) -> Decision:
    """There is one run at a time, and of those that wait the newest build counts."""
    if facts.newer:
        return Decision(ANSWERED, f"{facts.newer} landed after {landing}")
    if facts.at_work == str(landing.request):
        return Decision(STARTED, f"{facts.at_work} is running")
    return Decision(WAITING, f"{landing} waits until {facts.at_work} has ended")
