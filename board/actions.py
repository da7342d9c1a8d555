"""What people may do, each a call of a runner; the master decides who may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wbcore.errors import BadRequest
from wbcore.names import Build

VIEW = "wb_release.history"
START = "wb_release.start"


@dataclass(frozen=True)
class Action:
    """One thing to do.

    verb, words
        Its name in addresses, and on its button.
    function, fixed
        The function of the runner, and the arguments that it always has.
    build
        Whether it is about a build: ``yes``, ``no`` or ``may``.
    reason
        Whether a reason is asked for.
    """

    verb: str
    words: str
    function: str
    fixed: Mapping[str, Any] = field(default_factory=dict)
    build: str = "yes"
    reason: bool = True

    @property
    def starts(self) -> bool:
        """Whether it starts a run, which has a plan."""
        return self.function == START

    def arguments(self, build: str, reason: str) -> dict[str, Any]:
        """The arguments of the call; BadRequest for a build that is none."""
        given = dict(self.fixed)
        if self.build == "yes" or (build and self.build == "may"):
            given["build"] = str(Build.parse(build))
        if self.reason:
            given["reason"] = reason
        return given

    def planned(self, build: str) -> dict[str, Any]:
        """The arguments that ask for its plan."""
        return {key: value for key, value in self.arguments(build, "").items() if key != "reason"}


def _starting(verb: str, words: str, kind: str, build: str = "yes", **more: Any) -> Action:
    return Action(verb, words, START, {"kind": kind, **more}, build)


_ALL = (
    _starting("release", "Release", "release"),
    _starting("minor", "Release the webapp alone", "release", minor=True),
    _starting("push", "Push", "push"),
    _starting("golive", "Go live", "golive"),
    _starting("rollback", "Go back", "rollback", build="no"),
    Action("accept", "Accept", "wb_release.accept"),
    Action("unaccept", "Take acceptance back", "wb_release.unaccept", reason=False),
    Action("hold", "Hold", "wb_release.hold", build="may"),
    Action("unhold", "Lift the hold", "wb_release.unhold", build="may", reason=False),
    Action("bad", "Mark as bad", "wb_release.bad"),
    Action("good", "Not bad after all", "wb_release.good", reason=False),
)
ACTIONS = {one.verb: one for one in _ALL}


def again(row: Mapping[str, Any]) -> str:
    """The verb that gives the command of a run that failed once more; '' for none."""
    verb = "minor" if row["request"].get("minor") else row["kind"]
    return verb if row["outcome"] in ("failed", "died") and verb in ACTIONS else ""


def action(verb: str) -> Action:
    """The action of a verb; BadRequest for any other word."""
    if verb not in ACTIONS:
        raise BadRequest(f"{verb[:40]!r} is nothing that can be done here", "use the buttons")
    return ACTIONS[verb]
