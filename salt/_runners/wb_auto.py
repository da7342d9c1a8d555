"""What nobody started by hand: a build landed, a run died, a node told something of itself."""

from wbcore.errors import ReleaseError
from wbmaster import automation, drifting, opening

__virtualname__ = "wb_auto"


def __virtual__():
    return __virtualname__


def landed(build, cause="event"):
    """Start the release of a build, if the development server itself shows it with
    ``READY`` and it is newer than what is live; say what was decided.

    build
        Name of the build, such as ``WS221``.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.landed build=WS221
    """
    return _told(lambda: automation.landed(_office(), build, cause))


def supervise():
    """Take up a run that the ledger calls running and whose process is gone.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.supervise
    """
    return _told(lambda: automation.take_up(_office()))


def drifted(node, report):
    """Record what a node tells that was not as it should be there.

    node
        Id of a node of the pillar.
    report
        The payload of its event, as ``docs/events.md`` has it; anything else is refused.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.drifted wb-web1 '{node: wb-web1, kind: drift, more: 0,
            changes: [{id: nginx runs, what: running}]}'
    """
    return _told(lambda: drifting.record(_office(), node, report))


def joined(node):
    """Have the proxy look at a web node that says that it serves what is live; the proxy asks
    the node itself before it takes it into the pool.

    node
        Id of a node of the pillar.

    CLI Example:

    .. code-block:: bash

        salt-run wb_auto.joined wb-web1
    """
    return _told(lambda: drifting.admit(_office(), node))


def _office():
    return opening.Office(__opts__, opening.own_pillar(__opts__, __grains__))


def _told(function):
    try:
        return function()
    except ReleaseError as error:
        # Salt takes the exit code of salt-run from here, and from nothing else.
        return {"error": str(error), "retcode": 1}
