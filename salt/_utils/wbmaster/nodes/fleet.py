"""Asking nodes: every call of the master to a node goes through here.

Targets are explicit lists of ids (never grains, never ``batch``), every answer is looked
at, and a node that says nothing is told from one that says no.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wbcore.build.manifest import together
from wbcore.errors import StepFailed

from .jobs import GATHER, Answer, Jobs

__all__ = ["GATHER", "PATIENCE", "Answer", "Call", "Fleet", "reason", "said", "values"]

# Salt asks every so often whether a node still works on the job; a node that works may
# take as long as it needs, one that is gone is noticed after these seconds.
PATIENCE = 10


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
        calls = {node: Call(kwargs) for node in nodes}
        return self._each(function, calls, patience, lambda node, answer: None)

    def call(
        self, nodes: Sequence[str], function: str, todo: str, /, **kwargs: Any
    ) -> dict[str, Any]:
        """What every node returned; StepFailed naming the first that did not do it."""
        return values(self.ask(nodes, function, **kwargs), todo)

    def every(
        self, nodes: Sequence[str], function: str, todo: str, /, **kwargs: Any
    ) -> dict[str, Any]:
        """What every node returned; StepFailed naming all that did not do it."""
        answers = self.ask(nodes, function, **kwargs)
        bad = {node: reason(answer) for node, answer in answers.items() if not answer.good}
        if len(bad) > 1:
            raise StepFailed(together([f"{node}: {why}" for node, why in bad.items()]), todo)
        return values(answers, todo)

    def one(self, node: str, function: str, todo: str, /, **kwargs: Any) -> Any:
        """What one node returned, or StepFailed."""
        return self.call([node], function, todo, **kwargs)[node]

    def begin(self, nodes: Sequence[str], function: str, /, **kwargs: Any) -> None:
        """Have nodes do something that nobody waits for."""
        with self.jobs() as jobs:
            jobs.give(nodes, function, PATIENCE, kwargs)

    def cascade(
        self, function: str, calls: Mapping[str, Call], done: Callable[[str, Answer], None]
    ) -> dict[str, Answer]:
        """Ask each node with its own arguments as soon as the one it waits for is done.

        A node whose predecessor failed is asked all the same: it has other sources.
        ``done`` is told of each answer as it comes.
        """
        return self._each(function, calls, PATIENCE, done)

    def jobs(self) -> Jobs:
        """What gives work to the nodes."""
        return Jobs(self._conf_file)

    def _each(
        self,
        function: str,
        calls: Mapping[str, Call],
        patience: int,
        done: Callable[[str, Answer], None],
    ) -> dict[str, Answer]:
        """Every answer, in the order of the calls."""
        answers: dict[str, Answer] = {}
        waiting = dict(calls)
        if not calls:
            return answers
        with self.jobs() as jobs:

            def give() -> None:
                ready = [
                    node
                    for node, call in waiting.items()
                    if call.after not in calls or call.after in answers
                ]
                for nodes in _alike(ready, calls):
                    jobs.give(nodes, function, patience, calls[nodes[0]].kwargs)
                for node in ready:
                    del waiting[node]

            give()
            for node, answer in jobs.answers():
                answers[node] = answer
                done(node, answer)
                give()
        return {node: answers[node] for node in calls}


def _alike(nodes: Sequence[str], calls: Mapping[str, Call]) -> list[list[str]]:
    """Nodes that are asked for the very same: they share a job, which every minion sees."""
    groups: dict[str, list[str]] = {}
    for node in nodes:
        groups.setdefault(json.dumps(calls[node].kwargs, sort_keys=True), []).append(node)
    return list(groups.values())


def values(answers: Mapping[str, Answer], todo: str) -> dict[str, Any]:
    """The values of good answers; StepFailed for the first that is not.

    What one of our errors on a node says to do goes before ``todo``: it knows better.
    """
    for node, answer in answers.items():
        if not answer.good:
            what, own = said(answer)
            raise StepFailed(what, own or todo, node=node)
    return {node: answer.value for node, answer in answers.items()}


def said(answer: Answer) -> tuple[str, str]:
    """Why there is no good answer, and what one of our errors says to do about it, or ''."""
    what, _, todo = reason(answer).rpartition("; ")
    return (what, todo) if what else (todo, "")


def reason(answer: Answer) -> str:
    """Why there is no good answer."""
    return "it does not answer" if answer.silent else answer.error
