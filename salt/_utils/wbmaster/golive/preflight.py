"""What a release has to show on the nodes before anything goes live: the MySQL servers open each
new table, and on each web node AceDB and the webapp answer on spare ports."""

from __future__ import annotations

from typing import Any

from wbcore.errors import BadData, StepFailed
from wbcore.names import Release

from ..leaving_out import answered
from ..nodes.fleet import reason
from ..run import Run
from . import pool

_WAY_OUT = "nothing has changed on the site; fix it and run the same command again"


def passed(run: Run, release: Release) -> dict[str, Any]:
    """The figures of a preflight that was passed; StepFailed or BadData of one that was not."""
    return {"tables": _tables(run), "preflight": _webapp(run, release)}


def _tables(run: Run) -> dict[str, float]:
    """Seconds in which each node opened the new tables. A node that says nothing is left to
    what looks at every node later on."""
    nodes = [node for node in run.plan.present if "mysql" in run.settings.nodes[node].roles]
    answers = run.fleet.ask(nodes, "wb_mysql.examine", databases=dict(run.plan.databases))
    wrong, seconds = [], {}
    for node, answer in answers.items():
        if answer.good:
            wrong += [f"{node}: {name} ({why})" for name, why in answer.value["faults"].items()]
            seconds[node] = answer.value["seconds"]
        elif not answer.silent:
            wrong.append(f"{node}: {reason(answer)}")
    if wrong:
        staging, build = run.settings.staging, run.build
        raise BadData(
            f"MySQL can not open what {run.plan.release} needs: {', '.join(wrong)}",
            f"nothing has changed on the site; look at the tables on {staging}, run salt {staging}"
            f" wb_build.unseal {build}, fix them and run the same command again",
        )
    return seconds


def _webapp(run: Run, release: Release) -> dict[str, float]:
    """Start the release on a spare port of each web node against the new databases."""
    given = run.fleet.ask(
        pool.web(run),
        "wb_webapp.preflight",
        release=str(release),
        databases=dict(run.plan.databases),
        acedb=f"wormbase_{run.build}",
    )
    answers = answered(run, "push_webapp", given, _WAY_OUT)
    for node, answer in answers.items():
        for path, one in answer["answers"].items():
            if one["status"] != 200:
                raise StepFailed(
                    f"in the preflight of {release} {path} answers {one['status']}: {one['said']}",
                    _WAY_OUT,
                    node=node,
                )
        if answer["version"]["release"] != str(release):
            raise StepFailed(
                f"the preflight of {release} shows {answer['version']['release']}",
                _WAY_OUT,
                node=node,
            )
    return {
        node: max(one["seconds"] for one in answer["answers"].values())
        for node, answer in answers.items()
    }
