"""Asking nodes: every call of the master to a node goes through here.

Targets are explicit lists of ids (never grains, never ``batch``), every answer is looked
at, and a node that says nothing is told from one that says no.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import salt.client
from wbcore.errors import StepFailed

# Salt asks every so often whether a node still works on the job; a node that works may
# take as long as it needs, one that is gone is noticed after these seconds.
PATIENCE = 10
GATHER = 5


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


@dataclass(frozen=True)
class Call:
    """One node's arguments, and the node that has to be done before it is asked."""

    kwargs: Mapping[str, Any]
    after: str = ""


class Fleet:
    """The nodes, asked over Salt."""

    def __init__(self, conf_file: str) -> None:
        self._conf_file = conf_file

    def ask(
        self,
        nodes: Sequence[str],
        function: str,
        patience: int = PATIENCE,
        /,
        **kwargs: Any,
    ) -> dict[str, Answer]:
        """The answer of every node to one call; never raises for what a node says."""
        if not nodes:
            return {}
        answers = {node: Answer(silent=True) for node in nodes}
        with salt.client.get_local_client(self._conf_file) as client:
            for returned in client.cmd_iter(
                list(nodes),
                function,
                tgt_type="list",
                kwarg=kwargs,
                timeout=patience,
                gather_job_timeout=GATHER,
            ):
                for node, entry in (returned or {}).items():
                    if node in answers and "ret" in entry:
                        answers[node] = _answer(entry)
        return answers

    def call(
        self, nodes: Sequence[str], function: str, todo: str, /, **kwargs: Any
    ) -> dict[str, Any]:
        """What every node returned; StepFailed naming the first that did not do it."""
        return values(self.ask(nodes, function, **kwargs), todo)

    def one(self, node: str, function: str, todo: str, /, **kwargs: Any) -> Any:
        """What one node returned, or StepFailed."""
        return self.call([node], function, todo, **kwargs)[node]

    def cascade(
        self, function: str, calls: Mapping[str, Call], done: Callable[[str, Answer], None]
    ) -> dict[str, Answer]:
        """Ask each node with its own arguments as soon as the one it waits for is done.

        A node whose predecessor failed is asked all the same: it has other sources.
        ``done`` is told of each answer as it comes.
        """
        futures: dict[str, Future[Answer]] = {}

        def run(node: str, call: Call) -> Answer:
            if call.after in futures:
                futures[call.after].result()
            answer = self.ask([node], function, **call.kwargs)[node]
            done(node, answer)
            return answer

        # A call waits only for one submitted before it, so the pool can not lock itself up.
        with ThreadPoolExecutor(max_workers=max(1, len(calls))) as pool:
            for node, call in calls.items():
                futures[node] = pool.submit(run, node, call)
            return {node: future.result() for node, future in futures.items()}


def values(answers: Mapping[str, Answer], todo: str) -> dict[str, Any]:
    """The values of good answers; StepFailed for the first that is not.

    What one of our errors on a node says to do goes before ``todo``: it knows better.
    """
    for node, answer in answers.items():
        if not answer.good:
            what, _, own = reason(answer).rpartition("; ")
            raise StepFailed(what or own, own if what else todo, node=node)
    return {node: answer.value for node, answer in answers.items()}


def reason(answer: Answer) -> str:
    """Why there is no good answer."""
    return "it does not answer" if answer.silent else answer.error


def _answer(entry: Mapping[str, Any]) -> Answer:
    value = entry["ret"]
    if entry.get("retcode", 0) == 0:
        return Answer(value=value)
    text = str(value).strip()
    if text.startswith("ERROR: "):
        return Answer(error=text.removeprefix("ERROR: "))
    # What is not one of our errors ends in a traceback, whose last line says what it was; or
    # it is Salt's own word on arguments, followed by the function's documentation.
    lines = text.splitlines() or ["it failed and said nothing"]
    return Answer(error=lines[0 if lines[0].startswith("Passed invalid") else -1])
