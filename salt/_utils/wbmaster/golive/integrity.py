"""Whether every node has, file by file, what is about to be live on it.

Markers vouch for what was verified once. A release, and above all going back, makes live what
has lain there for weeks: somebody may have emptied a directory since.
"""

from __future__ import annotations

from collections.abc import Mapping

from wbcore.model.ledger_facts import ReleaseRecord
from wbcore.model.roles import wants

from ..leaving_out import leave_out
from ..nodes.fleet import Answer, Call, reason
from ..run import Run


def ensure(run: Run, record: ReleaseRecord) -> None:
    """Have each node look at the datasets of a release, and fetch what they lack; a node that
    can not is left out of the run, as one that lacked them from the beginning."""
    wanted = {
        node: [one for one in record.datasets if wants(run.settings, node, one)]
        for node in run.plan.present
    }
    looked = _each(run, "wb_dataset.lacking", wanted)
    lacking = {node: answer.value for node, answer in looked.items() if answer.good}
    mended = _each(run, "wb_dataset.verify", {node: some for node, some in lacking.items() if some})
    bad = {node: reason(answer) for node, answer in looked.items() if not answer.good}
    bad |= {node: why for node, answer in mended.items() if (why := _why(answer))}
    if bad:
        leave_out(run, "take_out_of_service", bad, absent=False)


def _each(run: Run, function: str, datasets: Mapping[str, list[str]]) -> dict[str, Answer]:
    calls = {node: Call({"datasets": some}) for node, some in datasets.items()}
    return run.fleet.cascade(function, calls, lambda node, answer: None)


def _why(answer: Answer) -> str:
    """Why datasets are not whole after they were read; empty when they are."""
    if not answer.good:
        return reason(answer)
    errors = [f"{dataset}: {found['error']}" for dataset, found in answer.value.items()]
    return next((text for text in errors if not text.endswith(": ")), "")
