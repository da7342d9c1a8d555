"""What people, and the gate on contents, have said about builds: held, bad, accepted."""

from __future__ import annotations

from dataclasses import dataclass

from .names import Build

HOLD, BAD, ACCEPTED = "hold", "bad", "accepted"
KINDS = (HOLD, BAD, ACCEPTED)
# Who holds a build whose contents are not what was to be expected.
GATE = "the gate on contents"


@dataclass(frozen=True)
class Verdict:
    """One verdict, on record until it is lifted.

    kind
        ``hold`` (nothing goes live), ``bad`` (the build never goes live) or ``accepted``
        (the build, as it was sealed then, goes live whatever the gate on contents says).
    build
        The build it is about; None for a hold of everything.
    reason, who
        Why, and who said so.
    since
        Seconds since 1970.
    digest
        What was accepted: the digest of the build's sealing.
    """

    kind: str
    build: Build | None
    reason: str
    who: str
    since: float
    digest: str = ""
