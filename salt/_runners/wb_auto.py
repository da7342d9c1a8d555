"""What nobody started by hand: a build landed, a run died, a node reported something."""

from __future__ import annotations

from typing import Any

from wbcore.events import COMMAND, EVENT, LANDED, Announcement
from wbcore.names import Build
from wbmaster.commands import runner
from wbmaster.office import Office
from wbmaster.unattended import catch_up, debounce, drift_reports, landings, restarts, supervisor

# Salt gives them to the module.
__grains__: dict[str, Any]
__opts__: dict[str, Any]

__virtualname__ = "wb_auto"


def __virtual__() -> str:
    return __virtualname__


def landed(build: str, cause: str = COMMAND, sender: str = "") -> Any:
    """Start what the pillar ``wormbase:landing`` says for a build, if the development server
    itself shows it with ``READY`` and it is newer than what is live.

    build
        Name of the build, such as ``WS221``.
    cause
        For the reactor: ``landed`` for the event of the beacon, ``event`` for any other. Without
        it a person on the master says so, who also has decided anew what was answered, and
        starts again what failed.
    sender
        For the reactor: id of the minion that sent the event; nobody but the development server
        is heard.

    Returns build → what was decided; a text when somebody is on the way to decide already.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.landed build=WS221
    """

    def answered() -> Any:
        by = cause if cause in (LANDED, EVENT) else COMMAND
        said = Announcement(Build.parse(build), by, str(sender))
        told = debounce.LANDED.ring(said, lambda batch: landings.answer(_office(), batch))
        return f"{build} is answered with others" if told is None else told

    return runner.answer(answered)


def poll() -> Any:
    """Ask the development server for builds whose beacon or event was lost, and go on with
    landings that wait.

    Returns landing → what was decided anew.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.poll
    """
    return runner.answer(lambda: landings.poll(_office()))


def supervise() -> Any:
    """Take up a run that the ledger calls running and whose process is gone, or else start
    what waited for the end of a run, or else have nodes catch up that a release left out and
    that answer again.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.supervise
    """

    def supervised() -> Any:
        office = _office()
        return (
            restarts.wake(office)
            or supervisor.take_up(office)
            or landings.attend(office)
            or catch_up.greet(office)
            or "nothing to do"
        )

    return runner.answer(supervised)


def drifted(node: str, report: Any) -> Any:
    """Record what a node reports that was not as it should be there.

    node
        Id of a node of the pillar.
    report
        The payload of its event, as ``docs/events.md`` has it; anything else is refused.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.drifted wb-web1 '{node: wb-web1, kind: drift, more: 0,
            changes: [{id: nginx runs, what: running}]}'
    """
    return runner.answer(lambda: drift_reports.record(_office(), node, report))


def joined(node: str) -> Any:
    """Have the proxy look at a web node that says that it serves what is live; the proxy asks
    the node itself before it takes it into the pool.

    node
        Id of a web node of the pillar.

    Returns which nodes the proxy has looked at; a text when somebody waits to have it look
    already, who takes this node along.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.joined wb-web1
    """

    def answered() -> Any:
        told = debounce.JOINED.ring(str(node), lambda batch: catch_up.admit(_office(), batch))
        return f"{node} is looked at with others" if told is None else told

    return runner.answer(answered)


def due(node: str) -> Any:
    """Restart what is due on a web node, out of the pool and after whatever is running; its
    states say so when a change needs a restart that would interrupt what it serves.

    node
        Id of a node of the pillar.

    Returns what became of each node; a text when somebody waits to do so already, who takes
    this node along.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.due wb-web1
    """

    def answered() -> Any:
        told = debounce.DUE.ring(str(node), lambda batch: restarts.restart_all(_office(), batch))
        return f"{node} is seen to with others" if told is None else told

    return runner.answer(answered)


def _office() -> Office:
    return runner.office(__opts__, __grains__)
