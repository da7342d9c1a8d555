"""What is live, what happened, what would happen, and a run as it goes."""

from __future__ import annotations

import os
from typing import Any

import salt.utils.user
from wbcore.errors import BadRequest
from wbcore.requests import GOLIVE, PURGE, PUSH, RELEASE, ROLLBACK, Request
from wbmaster.commands import queries, recovery, runner
from wbmaster.commands import verdicts as verdicts_
from wbmaster.office import Office
from wbmaster.reporting import metrics as measured
from wbmaster.run import WHO
from wbmaster.unattended import asked, drift_reports
from wbmaster.unattended import landings as landings_

# Salt gives them to the module.
__grains__: dict[str, Any]
__opts__: dict[str, Any]
__user__: str

_STARTABLE = (RELEASE, PUSH, GOLIVE, ROLLBACK, PURGE)
__virtualname__ = "wb_release"


def __virtual__() -> str:
    return __virtualname__


def _office() -> Office:
    # A call from a shell has Salt's own user; any other name was checked by `external_auth`, and
    # the master has made this process for it.
    if __user__ != salt.utils.user.get_specific_user():
        os.environ[WHO] = __user__
    return runner.office(__opts__, __grains__)


def status() -> Any:
    """What is live on every node, as its running services answer at this moment.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.status
    """
    return runner.table(__opts__, lambda: queries.status(_office()))


def history(limit: Any = 20, run: str = "") -> Any:
    """What happened: the newest runs with cause, outcome, figures and seconds a step.

    limit
        How many runs, newest first.
    run
        Only this run, with its steps; its id, or its build for the newest run of that.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.history limit=5
        salt-run wb_release.history run=WS221
    """
    return runner.table(__opts__, lambda: queries.history(_office(), _number(limit), str(run)))


def plan(build: str = "", minor: bool = False, kind: str = RELEASE) -> Any:
    """What a request would do, with bytes a site, minutes, window and free disk.

    build
        Name of the build, such as ``WS221``; none for ``kind=rollback``.
    minor
        Only a new revision of the webapp.
    kind
        Another orchestration than ``release``: ``push``, ``golive``, ``rollback``, ``purge``.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.plan build=WS221
    """
    return runner.table(__opts__, lambda: queries.plan(_office(), _request(kind, build, minor)))


def start(kind: str, build: str = "", minor: bool = False, reason: str = "") -> Any:
    """Start a run that goes on by itself, as a landing does; returns when it has been started.

    kind
        The orchestration: ``release``, ``push``, ``golive``, ``rollback`` or ``purge``.
    build, minor
        As for ``plan``.
    reason
        Why, for the ledger.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.start kind=release build=WS221 reason='the curators are content'
    """
    return runner.answer(lambda: asked.start(_office(), _request(kind, build, minor), reason))


def watch() -> Any:
    """Show the run at work until it ends, for another terminal than the one that started it.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.watch
    """
    return runner.answer(lambda: queries.watch_run(_office()))


def drift(limit: Any = 20, node: str = "") -> Any:
    """What was not as it should be on the nodes and was put right, newest first.

    limit
        How many reports.
    node
        Only those of this node.

    Each has ``kind``: ``drift`` (changed by somebody or something, put back), ``caught_up``
    (what has to be had changed), ``rotted`` (bytes on disk, fetched again) or ``failed`` (it
    could not be put right; the node tries again). ``times`` counts the same report told again.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.drift node=wb-web1
    """
    return runner.table(__opts__, lambda: drift_reports.shown(_office(), _number(limit), str(node)))


def metrics() -> Any:
    """What is measured, in the text format of Prometheus: the release that each node serves,
    its age, the last push and window, runs by outcome; written to the pillar's
    ``wormbase:metrics:textfile`` too, where it is set.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.metrics
    """
    return runner.answer(lambda: measured.show(_office()))


def landings() -> Any:
    """What landed on the development server, what it started or what it waits for, and why.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.landings
    """
    return runner.table(__opts__, lambda: landings_.shown(_office()))


def verdicts() -> Any:
    """What people, and the gate on contents, have said about builds: held, bad, accepted.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.verdicts
    """
    return runner.table(__opts__, lambda: queries.verdicts(_office()))


def hold(reason: str = "", build: str = "") -> Any:
    """Let nothing go live until ``unhold``; pushes, and going back, stay free.

    reason
        Why, for the ledger and whoever is refused.
    build
        Hold only this build; everything, if it is not given.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.hold reason='the curators are checking WS221'
    """
    return runner.answer(lambda: verdicts_.hold(_office(), build, reason))


def unhold(build: str = "") -> Any:
    """Lift a hold.

    build
        The build that was held; leave it out for the hold of everything.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.unhold
    """
    return runner.answer(lambda: verdicts_.unhold(_office(), build))


def bad(build: str, reason: str = "") -> Any:
    """Mark a build as bad: it never goes live, and is the first to go when room is needed.

    build
        Name of the build, such as ``WS221``; not the live one.
    reason
        Why, for the ledger and whoever is refused.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.bad build=WS222 reason='half of the genes are missing'
    """
    return runner.answer(lambda: verdicts_.bad(_office(), build, reason))


def good(build: str) -> Any:
    """Take back that a build is bad.

    build
        Name of the build, such as ``WS221``.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.good build=WS222
    """
    return runner.answer(lambda: verdicts_.good(_office(), build))


def accept(build: str, reason: str = "") -> Any:
    """Let a build, as it is sealed now, go live whatever the gate on contents says of it; on
    record. Sealed again it is judged again.

    build
        Name of the build, such as ``WS222``.
    reason
        Why it is right as it is.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.accept build=WS222 reason='C. brenneri was dropped on purpose'
    """
    return runner.answer(lambda: verdicts_.accept(_office(), build, reason))


def unaccept(build: str) -> Any:
    """Take back that a build was accepted.

    build
        Name of the build, such as ``WS222``.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.unaccept build=WS222
    """
    return runner.answer(lambda: verdicts_.unaccept(_office(), build))


def recover_ledger(test: bool = False) -> Any:
    """Bring a ledger that is an old copy, or that was lost, up to date from what the nodes
    hold: what they serve is live and counts as announced. No node is changed, and nothing goes
    live until ``unhold``, since the ledger may have forgotten which builds are bad.

    test
        Only say what would be recorded.

    CLI Example:

    .. code-block:: bash

        salt-run wb_release.recover_ledger test=True
    """
    return runner.answer(lambda: recovery.recover(_office(), bool(test)))


def _request(kind: str, build: str, minor: bool) -> Request:
    if kind not in _STARTABLE:
        raise BadRequest(f"kind is {str(kind)[:40]!r}", f"the kinds are {', '.join(_STARTABLE)}")
    given = {"build": build, "minor": minor}
    return Request.parse(kind, {key: value for key, value in given.items() if value})


def _number(limit: Any) -> int:
    if type(limit) is not int or limit < 1:
        raise BadRequest(f"limit is {str(limit)[:40]!r}", "it is a number, how many to show")
    return limit
