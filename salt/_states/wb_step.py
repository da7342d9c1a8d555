"""One step of a run, in the order in which ``orch/`` puts it.

.. code-block:: yaml

    3 push the AceDB database:
      wb_step.taken:
        - step: push_acedb
        - require:
          - wb_run: begin
"""

from __future__ import annotations

from typing import Any

import wbmaster.lifecycle.step
from wbcore.errors import ReleaseError
from wbmaster import run

__virtualname__ = "wb_step"


def __virtual__() -> str:
    return __virtualname__


def taken(name: str, step: str) -> dict[str, Any]:
    """Take a step of the run that this orchestration began.

    step
        Name of the step, one of ``wbmaster.steps.STEPS``.

    Nothing is done when the run ended early: refused, joined, idle, or failed in a step
    before this one. Alone, outside of a run, a step is an error.
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": "Nothing to do."}
    if not run.was_asked_for():
        alone = "a step is a part of a run: use orch.release, orch.push or another of orch/"
        return {**ret, "result": False, "comment": f"{step} was not taken; {alone}"}
    current = run.current()
    if current is None:
        return ret
    if current.error:
        ret["comment"] = f"Not taken, since {current.failed_step} failed."
        return ret
    try:
        if current.dry:
            ret["changes"] = wbmaster.lifecycle.step.forecast(current, step)
            ret["result"] = None if ret["changes"] else True
        else:
            ret["changes"] = wbmaster.lifecycle.step.take(current, step)
        if ret["changes"]:
            ret["comment"] = "Would be done." if current.dry else "Done."
    except ReleaseError as error:
        ret.update(result=False, comment=str(error))
    return ret
