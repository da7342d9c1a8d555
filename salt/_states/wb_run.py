"""The first and the last state of an orchestration: a run begins, a run ends.

.. code-block:: yaml

    begin:
      wb_run.begun:
        - kind: release
    end:
      wb_run.ended:
        - order: last
"""

from __future__ import annotations

from typing import Any

from wbcore.errors import ReleaseError
from wbcore.requests import Request
from wbmaster import run
from wbmaster.lifecycle import begin, end, exit_codes
from wbmaster.office import Office, own_pillar
from wbmaster.reporting import describe

# Salt gives them to the module.
__grains__: dict[str, Any]
__opts__: dict[str, Any]
__pillar__: dict[str, Any]

__virtualname__ = "wb_run"


def __virtual__() -> str:
    return __virtualname__


def begun(name: str, kind: str) -> dict[str, Any]:
    """Begin the run that the orchestration's pillar asks for.

    kind
        Which orchestration it is: ``release``, ``push``, ``golive``, ``rollback``,
        ``purge``, ``announce`` or ``adopt``.

    With ``test=True`` the plan is shown and nothing is locked, sealed or recorded. A run
    that is running for the same request is joined; a request that is done already begins
    nothing, and the steps after it do nothing.
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    run.set_current(None)
    try:
        own = own_pillar(__opts__, __grains__)
        request = Request.parse(kind, begin.given(__pillar__, own))
        office = Office(__opts__, own)
        if __opts__["test"]:
            plan = begin.dry(office, request)
            ret["comment"] = describe.plan(run.current())
            ret["result"] = True if plan.idle else None
        else:
            ret["comment"] = begin.begin(office, request)
    except ReleaseError as error:
        exit_codes.leave(exit_codes.of_begin(error))
        ret.update(result=False, comment=str(error))
    return ret


def ended(name: str) -> dict[str, Any]:
    """End the run of this orchestration: put the site back if the run failed in the change-over,
    record the outcome, free the lock, say in one line what happened."""
    ret = {"name": name, "result": True, "changes": {}, "comment": "There was nothing to end."}
    current = run.current()
    if current is None:
        return ret
    if current.dry:
        run.set_current(None)
        ret.update(result=None, comment="The run would end here.")
        return ret
    try:
        ret["comment"] = end.end(current)
    except ReleaseError as error:
        ret.update(result=False, comment=f"{current.failed_step}: {error}")
    return ret
