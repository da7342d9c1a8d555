"""Runs that nobody started by hand: a build that landed, a run that died."""

from wbcore.errors import ReleaseError
from wbmaster import automation, opening

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


def _office():
    return opening.Office(__opts__, opening.own_pillar(__opts__, __grains__))


def _told(function):
    try:
        return function()
    except ReleaseError as error:
        # Salt takes the exit code of salt-run from here, and from nothing else.
        return {"error": str(error), "retcode": 1}
