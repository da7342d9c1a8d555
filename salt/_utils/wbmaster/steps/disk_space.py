"""Step 1 of the wiki page: is there room for what has to be copied, before it is copied?"""

from __future__ import annotations

from typing import Any

from wbcore.errors import StepFailed

from ..describe import size
from ..fleet import Call, values
from ..run import Run


def forecast(run: Run) -> dict[str, Any]:
    # Looking changes nothing, so a dry run looks as well as a real one.
    return take(run)


def take(run: Run) -> dict[str, Any]:
    calls = {
        node: Call({"datasets": {dataset: run.plan.sizes[dataset] for dataset in lacking}})
        for node, lacking in run.plan.pulls.items()
        if lacking
    }
    answers = run.fleet.cascade("wb_disk.check", calls, lambda node, answer: None)
    for node, room in values(answers, "look at its disk").items():
        if not room["ok"]:
            freeable = size(sum(room["purgeable"].values()))
            raise StepFailed(
                room["problems"][0],
                f"free space there and run the same command again (datasets that no live "
                f"link needs take {freeable}; orch.purge removes a build)",
                node=node,
            )
    return {}
