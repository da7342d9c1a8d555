"""What is live, what happened, what would happen, and a run as it goes."""

from wbcore.errors import BadRequest, ReleaseError
from wbcore.requests import Request
from wbmaster import opening, report

__virtualname__ = "wb_release"


def __virtual__():
    return __virtualname__


def _office():
    return opening.Office(__opts__, opening.own_pillar(__opts__, __grains__))


def status():
    """What is live on every node, as its running services answer at this moment.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.status
    """
    return _told(lambda: report.status(_office()))


def history(limit=20):
    """What happened: the newest runs with cause, outcome, figures and seconds a step.

    limit
        How many runs, newest first.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.history limit=5
    """
    return _told(lambda: report.history(_office(), _number(limit)))


def plan(build="", minor=False):
    """What releasing a build would do, with bytes a site, minutes, window and free disk.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.plan build=WS221
    """
    given = {"build": build, "minor": minor}
    pillar = {key: value for key, value in given.items() if value}
    return _told(lambda: report.plan(_office(), Request.parse("release", pillar)))


def watch():
    """Show the run at work until it ends, for another terminal than the one that started it.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.watch
    """
    return _told(lambda: report.watch_run(_office()))


def _number(limit):
    if type(limit) is not int or limit < 1:
        raise BadRequest(f"limit is {str(limit)[:40]!r}", "it is a number of runs")
    return limit


def _told(function):
    """One sentence and exit code 1 for what is one of our errors."""
    try:
        return function()
    except ReleaseError as error:
        # Salt takes the exit code of salt-run from here, and from nothing else.
        return {"error": str(error), "retcode": 1}
