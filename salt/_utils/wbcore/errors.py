"""Every error of the project: what is wrong, where, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class ReleaseError(Exception):
    """Something that stops a run, reported in one line.

    what
        One clause naming the thing that is wrong.
    todo
        One clause telling the reader what to do next.
    node
        Id of the node it happened on, where there is one.
    """

    def __init__(self, what: str, todo: str, node: str = "") -> None:
        self.what = what
        self.todo = todo
        self.node = node
        super().__init__(str(self))

    def __str__(self) -> str:
        where = f"{self.node}: " if self.node else ""
        return f"{where}{self.what}; {self.todo}"


class BadRequest(ReleaseError):
    """The request itself can not be carried out; nothing was changed."""


class BadData(ReleaseError):
    """Files are not what they were sealed, recorded or taken to be."""


class Away(BadRequest):
    """Machines that a request can not do without do not answer, or not with what they hold; it goes
    on when they do.

    machines
        Their ids.
    """

    def __init__(self, what: str, todo: str, machines: Sequence[str] = ()) -> None:
        super().__init__(what, todo)
        self.machines = tuple(machines)


class StepFailed(ReleaseError):
    """A step of a run failed on a node."""


class Busy(ReleaseError):
    """Another run holds the lock."""


class Interrupted(ReleaseError):
    """The run could not go on, and nobody said that it failed: it can be taken up again."""
