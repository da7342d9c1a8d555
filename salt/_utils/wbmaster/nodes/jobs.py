"""Jobs at nodes: any number at once, over one connection to the master's bus.

A connection for each job would be shown the returns of all others as well: work that grows
with the square of the nodes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import salt.client

# Within these seconds a node says whether it still works on its job.
GATHER = 5
# A master that does not accept a job within these seconds is gone.
ACCEPTANCE = 10


@dataclass(frozen=True)
class Answer:
    """What a node returned, or why there is nothing."""

    value: Any = None
    error: str = ""
    silent: bool = False

    @property
    def good(self) -> bool:
        """Whether the node did what it was asked."""
        return not self.error and not self.silent


@dataclass
class _Open:
    """The job of a node that has not returned yet; ``asked`` whether it still works on it."""

    jid: str
    patience: int
    until: float
    asked: bool = False


class Jobs:
    """Gives jobs to nodes, one at a time to each; to be used in a ``with``.

    A node that works may take as long as it needs; one that says nothing, and does not say
    either that it works, is silent.
    """

    def __init__(self, conf_file: str) -> None:
        self._client = salt.client.get_local_client(conf_file)
        self._open: dict[str, _Open] = {}
        self._questions: set[str] = set()
        self._lost: list[str] = []

    def __enter__(self) -> Jobs:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.destroy()

    def give(
        self, nodes: Sequence[str], function: str, patience: int, kwargs: Mapping[str, Any]
    ) -> None:
        """Give the same job to nodes; after ``patience`` they are asked whether they work."""
        jid, known = self._publish(nodes, function, dict(kwargs))
        until = time.monotonic() + patience
        self._open |= {node: _Open(jid, patience, until) for node in nodes if node in known}
        self._lost += [node for node in nodes if node not in known]

    def answers(self) -> Iterator[tuple[str, Answer]]:
        """Each node with its answer, as they come, until no job is open."""
        while self._open or self._lost:
            while self._lost:
                yield self._lost.pop(), Answer(silent=True)
            if not self._open:
                return
            event = self._client.event.get_event(
                wait=1, tag="salt/job/", full=True, auto_reconnect=True
            )
            if event and (returned := self._returned(event["tag"], event["data"])):
                yield returned
            self._look_for_the_silent()

    def _publish(
        self, nodes: Sequence[str], function: str, kwargs: dict[str, Any]
    ) -> tuple[str, Sequence[str]]:
        """The job's id, and those of the nodes whose keys the master has."""
        job = self._client.run_job(
            list(nodes), function, tgt_type="list", kwarg=kwargs, listen=True, timeout=ACCEPTANCE
        )
        return (job["jid"], job["minions"]) if job else ("", ())

    def _returned(self, tag: str, data: Mapping[str, Any]) -> tuple[str, Answer] | None:
        """The answer in an event ``salt/job/<jid>/ret/<node>``, if it is one of ours."""
        _, _, jid, *rest = tag.split("/")
        if len(rest) != 2 or rest[0] != "ret" or "return" not in data:
            return None
        job = self._open.get(rest[1])
        if job is None:
            return None
        if jid in self._questions:
            if _names(data["return"], job.jid):
                job.asked, job.until = False, time.monotonic() + job.patience
            return None
        if jid != job.jid:
            return None
        del self._open[rest[1]]
        return rest[1], _answer(data)

    def _look_for_the_silent(self) -> None:
        """Give up nodes that are overdue and did not answer the question whether they work; ask
        those that were not asked yet.

        An answer to the job itself may have been lost on the bus, or the job takes long: only a
        minion that says nothing of it, or does not answer at all, counts as lost.
        """
        now = time.monotonic()
        overdue = [node for node, job in self._open.items() if job.until < now]
        self._lost += [node for node in overdue if self._open[node].asked]
        for node in self._lost:
            self._open.pop(node, None)
        if any(node in self._open for node in overdue):
            self._ask_who_works()

    def _ask_who_works(self) -> None:
        """Ask all nodes whose job is open, since a question costs the master as much for one node
        as for all; each gets a new deadline with it."""
        asked = [node for node, job in self._open.items() if not job.asked]
        jid, _ = self._publish(asked, "saltutil.running", {})
        self._questions.add(jid)
        until = time.monotonic() + GATHER
        for node in asked:
            self._open[node].asked, self._open[node].until = True, until


def _names(running: object, jid: str) -> bool:
    """Whether a job is among those that ``saltutil.running`` returned."""
    jobs = running if isinstance(running, list) else []
    return any(isinstance(job, Mapping) and job.get("jid") == jid for job in jobs)


def _answer(data: Mapping[str, Any]) -> Answer:
    value = data["return"]
    if data.get("retcode", 0) == 0:
        return Answer(value=value)
    text = str(value).strip()
    if text.startswith("ERROR: "):
        return Answer(error=text.removeprefix("ERROR: "))
    # What is not one of our errors ends in a traceback, whose last line says what it was; or
    # it is Salt's own word on arguments, followed by the function's documentation.
    lines = text.splitlines() or ["it failed and said nothing"]
    return Answer(error=lines[0 if lines[0].startswith("Passed invalid") else -1])
