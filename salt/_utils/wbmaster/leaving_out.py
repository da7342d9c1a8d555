"""Going on without nodes: one machine never stops a release, while enough others are left.

Who is left out is named, does not serve, and catches up by itself when the run has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wbcore.planning import preconditions

from .nodes.fleet import Answer, reason, values
from .run import Run


def answered(run: Run, step: str, answers: Mapping[str, Answer], todo: str) -> dict[str, Any]:
    """What nodes returned that answered at all; the others are left out of the run.

    StepFailed for the first that says that it failed, for which there may be a reason that is not
    its own, or if no node answers.
    """
    gone = {node: reason(answer) for node, answer in answers.items() if answer.silent}
    if gone and (len(gone) == len(answers) or _lost(run)):
        return values(answers, todo)
    found = values({node: one for node, one in answers.items() if not one.silent}, todo)
    if gone:
        leave_out(run, step, gone)
    return found


def silent(run: Run, nodes: Sequence[str]) -> dict[str, str]:
    """Which of these machines do not answer, and why that is known; none while answers go to a
    master that was started anew."""
    answers = run.fleet.ask(nodes, "test.ping")
    found = {node: reason(answer) for node, answer in answers.items() if answer.silent}
    return {} if _lost(run) else found


def leave_out(run: Run, step: str, bad: Mapping[str, str], absent: bool = True) -> None:
    """Go on without these nodes; BadRequest if too few web nodes are left to go live with.

    bad
        Node → why.
    absent
        Whether they do not answer; else they answer and can not follow.
    """
    if run.plan.needs_golive:
        gone = (*run.seen.absent, *bad)
        troubles = {node: why for node, why in bad.items() if not absent}
        preconditions.check_quorum(run.settings, replace(run.seen, absent=gone, troubles=troubles))
    run.notes.measured(step, left_out=dict(bad))
    plan = run.plan
    run.plan = replace(
        plan,
        present=tuple(node for node in plan.present if node not in bad),
        absent=(*plan.absent, *bad) if absent else plan.absent,
        lacking=plan.lacking if absent else (*plan.lacking, *bad),
        pulls={node: lacking for node, lacking in plan.pulls.items() if node not in bad},
    )


def _lost(run: Run) -> bool:
    """Whether the master was started anew: what nodes answered meanwhile went to nobody. A dry run
    takes no note of its master."""
    return not run.dry and bool(run.bus.master() != run.notes.master)
