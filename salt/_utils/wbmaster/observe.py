"""Asking every node what it sees, once, for a plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wbcore.errors import StepFailed
from wbcore.names import Build
from wbcore.seen import NodeSeen, Seen, StagingSeen
from wbcore.settings import Settings

from .fleet import GATHER, Answer, Fleet, said

ATTEMPTS = 3


def observe(fleet: Fleet, settings: Settings, build: Build | None) -> Seen:
    """What all nodes answer; those that say nothing for the time set are ``absent``.

    A node that connects again after a restart of the master misses what was asked meanwhile,
    so whoever is silent is asked more than once.

    A node that answers and fails to look is an error: what it holds is not known.
    """
    answers: dict[str, Answer] = {}
    patience = max(1, settings.golive.answer_seconds // ATTEMPTS - GATHER)
    for _ in range(ATTEMPTS):
        silent = [node for node in settings.nodes if node not in answers or answers[node].silent]
        answers |= fleet.ask(silent, "wb_node.observe", patience, build=str(build or ""))
    for node, answer in answers.items():
        if not answer.good and not answer.silent:
            what, todo = said(answer)
            raise StepFailed(
                f"it can not tell what it holds: {what}",
                todo or f"run salt {node} wb_node.observe",
                node=node,
            )
    seen = {node: answer.value for node, answer in answers.items() if answer.good}
    return Seen(
        {node: _node(value) for node, value in seen.items()},
        StagingSeen(**seen.get(settings.staging, {}).get("staging", {})),
        seen.get(settings.proxy, {}).get("proxy", {}),
        tuple(node for node in settings.nodes if node not in seen),
    )


def _node(value: Mapping[str, Any]) -> NodeSeen:
    known = ("held", "links", "version", "switch", "free")
    return NodeSeen(**{key: value[key] for key in known if key in value})
