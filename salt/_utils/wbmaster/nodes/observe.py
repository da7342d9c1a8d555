"""Asking every node what it sees, once, for a plan."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from wbcore.model.observations import NodeSeen, Seen, StagingSeen
from wbcore.names import Build
from wbcore.planning import adoption
from wbcore.settings import Settings

from .fleet import GATHER, Answer, Fleet, said

log = logging.getLogger(__name__)

ATTEMPTS = 3
_REFRESH_SECONDS = 30
_BEHIND = (
    "it goes by an older pillar than the master's files; salt-run pillar.show_pillar {0} shows "
    "what is wrong with the new one"
)
# Nodes refuse orders that are some seconds old, by their own clocks. One that is behind takes its
# orders for newer than they are, and cannot be told from one that answers late.
_AHEAD_SECONDS, _BEHIND_SECONDS = 1.0, 60.0
_NODE_PARTS = ("held", "links", "version", "switch", "free", "settled")
# The version is judged apart: see _node.
_PARTS = ("held", "links", "switch", "free", "staging", "proxy")


def observe(fleet: Fleet, settings: Settings, build: Build | None, edition: str = "") -> Seen:
    """What all nodes answer; ``absent`` are those that say nothing for the time set, or fail
    to look, or answer with something that is no observation.

    edition
        Of the pillar that every node has to go by; one that goes by another gets this one first,
        and counts as absent if it does not take it. None is asked for if it is empty.
    """
    answers = _asked(fleet, settings, list(settings.nodes), build)
    if behind := [node for node, answer in answers.items() if _is_behind(answer, edition)]:
        fleet.ask(behind, "saltutil.refresh_pillar", wait=True, timeout=_REFRESH_SECONDS)
        answers |= _asked(fleet, settings, behind, build)
    troubles = {
        node: why
        for node, answer in answers.items()
        if (
            why := _trouble(answer)
            or (node in settings.serving and _clock_trouble(answer))
            or (_is_behind(answer, edition) and _BEHIND.format(node))
        )
    }
    for node, why in troubles.items():
        log.warning("%s counts as absent, since it cannot say what it holds: %s", node, why)
    seen = {
        node: answer.value
        for node, answer in answers.items()
        if answer.good and node not in troubles
    }
    return Seen(
        {node: _node(value) for node, value in seen.items()},
        StagingSeen(**seen.get(settings.staging, {}).get("staging", {})),
        seen.get(settings.proxy, {}).get("proxy", {}),
        tuple(node for node in settings.nodes if node not in seen),
        troubles,
        {node: value.get("epoch", 0) for node, value in seen.items()},
    )


def survey_live(fleet: Fleet, settings: Settings, seen: Seen) -> Seen:
    """What was seen, with a survey of the build that is live by the nodes' own links. The
    databases are those that are live on them: the links of the development server may lead to
    the next build already."""
    live = adoption.found(settings, seen)
    if live.release is None or settings.staging in seen.absent:
        return seen
    survey = fleet.one(
        settings.staging,
        "wb_build.survey",
        "run the same command again",
        build=str(live.release.build),
        databases=dict(live.databases),
    )
    return replace(seen, staging=replace(seen.staging, survey=survey))


def _asked(
    fleet: Fleet, settings: Settings, nodes: list[str], build: Build | None
) -> dict[str, Answer]:
    """What nodes see. One that connects again after a restart of the master misses what was asked
    meanwhile, so whoever is silent is asked more than once."""
    answers: dict[str, Answer] = {}
    patience = max(1, settings.golive.answer_seconds // ATTEMPTS - GATHER)
    for _ in range(ATTEMPTS):
        silent = [node for node in nodes if node not in answers or answers[node].silent]
        answers |= fleet.ask(silent, "wb_node.observe", patience, build=str(build or ""))
    return answers


def _is_behind(answer: Answer, edition: str) -> bool:
    """Whether a node goes by another pillar than it should, which may be why it fails to look."""
    if answer.silent or not edition:
        return False
    value = answer.value
    return not answer.good or (isinstance(value, Mapping) and value.get("edition") != edition)


def _trouble(answer: Answer) -> str:
    """Why an answer is no observation; nothing if it is one, or if there is no answer."""
    if answer.silent:
        return ""
    if not answer.good:
        return said(answer)[0]
    value = answer.value
    if not isinstance(value, Mapping):
        return f"it answers {value!r:.80}"
    odd = [key for key in _PARTS if not isinstance(value.get(key, {}), Mapping)]
    if type(value.get("epoch", 0)) is not int:
        odd.append("epoch")
    if type(value.get("settled", True)) is not bool:
        odd.append("settled")
    return f"it answers {value[odd[0]]!r:.80} for {odd[0]}" if odd else ""


def _clock_trouble(answer: Answer) -> str:
    """Why the clock of a node that answered just now is no clock to go by."""
    clock = answer.value.get("clock") if answer.good else None
    if not isinstance(clock, int | float):
        return ""
    ahead = clock - time.time()
    if -_BEHIND_SECONDS <= ahead <= _AHEAD_SECONDS:
        return ""
    which = "ahead of" if ahead > 0 else "behind"
    return f"its clock is {abs(ahead):.0f} s {which} the master's; set both by NTP"


def _node(value: Mapping[str, Any]) -> NodeSeen:
    facts = {key: value[key] for key in _NODE_PARTS if key in value}
    version = facts.get("version", {})
    if not isinstance(version, Mapping):
        # What the servers say is the webapp's word: nonsense is a finding about them alone.
        facts["version"] = {"error": f"it answers {version!r:.80} instead of its versions"}
    return NodeSeen(**facts)
