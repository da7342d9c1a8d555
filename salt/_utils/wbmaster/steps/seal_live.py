"""Sealing what is live as it is: its build on the development server, and its webapp.

The development server may not have the release of the webapp, since old scripts sent it from
``website/staging``. Then it fetches the one that most web nodes have.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from wbcore.errors import StepFailed
from wbcore.names import Release
from wbcore.planning import adoption

from ..nodes.fleet import Answer, reason
from ..run import Run

STEP = "seal_live"
_WAY_OUT = "nothing that serves was touched; fix it, and run the same command again"


def forecast(run: Run) -> dict[str, Any]:
    return {} if run.seen.staging.survey["sealed"] else {run.build: "would be sealed as it is"}


def take(run: Run) -> dict[str, Any]:
    release, was_sealed = run.plan.going_live, run.seen.staging.survey["sealed"]
    build = _seal(run, run.build, databases=dict(run.plan.databases))
    _collect(run, release)
    run.notes.sealed = {run.build: build, str(release): _seal(run, str(release))}
    return {} if was_sealed else {run.build: build["digest"]}


def _seal(run: Run, name: str, **how: Any) -> dict[str, Any]:
    order = {"name": name, "run": run.id, **how}
    sealed: dict[str, Any] = run.fleet.one(run.settings.staging, "wb_build.seal", _WAY_OUT, **order)
    return sealed


def _collect(run: Run, release: Release) -> None:
    """Have the development server hold the release of the webapp."""
    staging, dataset = run.settings.staging, adoption.webapp(release)
    if run.fleet.one(staging, "wb_dataset.present", _WAY_OUT, datasets=[dataset]):
        return
    answers = run.fleet.ask(
        run.settings.having("web"), "wb_build.seal", name=str(release), run=run.id
    )
    giver, digest = _of_most(run, answers, dataset)
    run.fleet.one(
        staging,
        "wb_dataset.pull",
        _WAY_OUT,
        name=str(release),
        digest=digest,
        datasets=[dataset],
        sources=[{"node": giver, "address": run.settings.nodes[giver].address}],
        step=STEP,
    )


def _of_most(run: Run, answers: dict[str, Answer], dataset: str) -> tuple[str, str]:
    """A node that holds the webapp as most of them do, near the development server if there is
    one, and the digest of its manifest."""
    sealed = {node: answer.value for node, answer in answers.items() if answer.good}
    if not sealed:
        node, answer = next(iter(answers.items()))
        raise StepFailed(reason(answer), _WAY_OUT, node=node)
    held = {node: value["datasets"][dataset]["digest"] for node, value in sealed.items()}
    most = Counter(held.values()).most_common(1)[0][0]
    home = run.settings.nodes[run.settings.staging].site
    alike = [node for node, digest in held.items() if digest == most]
    giver = min(alike, key=lambda node: run.settings.nodes[node].site != home)
    return giver, str(sealed[giver]["digest"])
