"""What a node can say about itself, in one answer, for the master to decide by; and what it
does for itself: it enforces its states."""

import json
import time

import wbnode.enforce
import wbnode.minion
from salt.exceptions import CommandExecutionError
from wbcore import drift, events
from wbcore.errors import BadData, StepFailed
from wbcore.model.observations import EDITION
from wbcore.settings import Settings

__virtualname__ = "wb_node"
_CARRIER = ["node.prepared", "carrier.served"]


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def observe(build=""):
    """Everything that a plan is made of, as this node sees it.

    build
        On the development server: the build to look at, such as ``WS221``; without one
        only the names of the staged builds are told.

    Returns a dictionary with ``clock`` (seconds since 1970), ``epoch`` (see ``wb_live.epoch``),
    ``edition`` (of the pillar that this minion keeps), ``settled`` (whether the node was ever
    brought to its state) and the parts that the node's roles give it: ``held`` (dataset id →
    digest), ``links`` (name → target), ``free`` (see ``wb_disk.free``), ``version`` (what the
    running servers answer, or ``{"error": …}``), ``switch`` (a change-over that was begun and
    not ended); ``staging``; ``proxy``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_node.observe WS221
    """
    roles = _roles()
    layout = wbnode.minion.layout_of(__opts__)
    seen = {
        "clock": time.time(),
        "epoch": __salt__["wb_live.epoch"](),
        "edition": __pillar__.get(EDITION, ""),
        "settled": layout.enforced.exists(),
    }
    if roles & {"acedb", "mysql", "support", "web"}:
        held = __salt__["wb_dataset.held"]()
        seen["held"] = {dataset: facts["digest"] for dataset, facts in held.items()}
        seen["links"] = __salt__["wb_link.read"]()
        seen["free"] = __salt__["wb_disk.free"]()
        seen["switch"] = __salt__["wb_live.unfinished"]()
        seen["version"] = _told_or_error(__salt__["wb_live.version"])
    if "staging" in roles:
        seen["staging"] = _staging(build)
    if "proxy" in roles:
        seen["proxy"] = __salt__["wb_proxy.read"]()
    return seen


@wbnode.minion.salt_errors
def carry(test=False):
    """Set up this node's carrier, by which data travel, and nothing else: a node that serves
    already goes on as it is. Until it is settled it does not enforce its states by itself, for
    all nodes would do it at once.

    test
        Only say what would be done.

    Returns the states that changed something, or would.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_node.carry test=True
    """
    layout = wbnode.minion.layout_of(__opts__)
    if not test and not layout.enforced.exists():
        layout.state.mkdir(parents=True, exist_ok=True)
        layout.adopting.touch()
    returned = __salt__["state.sls"](_CARRIER, test=test)
    reports = drift.of_states(__opts__["id"], returned, first=True)
    return _changed(reports, "run state.apply carrier.served there")


@wbnode.minion.salt_errors
def settle(test=False):
    """Bring this node to its state, whether or not it ever was. Nothing that serves is restarted:
    what needs it waits (``wb_service.due``).

    test
        Only say what would be done.

    Returns the states that changed something, or would.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_node.settle test=True
    """
    todo = f"run salt {__opts__['id']} state.apply"
    if test:
        returned = __salt__["state.apply"](test=True)
        return _changed(drift.of_states(__opts__["id"], returned, first=True), todo)
    layout = wbnode.minion.layout_of(__opts__)
    layout.state.mkdir(parents=True, exist_ok=True)
    with wbnode.minion.alone(layout.enforce_lock):
        changed = _changed(_applied(layout, _fresh_pillar()), todo)
    layout.adopting.unlink(missing_ok=True)
    return changed


@wbnode.minion.salt_errors
def enforce(when_due=False):
    """Bring this node to its state, and report to the master what was not as it should be.

    The schedule of every node calls it (pillar ``wormbase:enforce``). It stays out of the way
    of a release: while one is running on this node, or states are applied, it is put off until
    the next time. A node that was never brought to its state is left to whoever does that.

    when_due
        Only when its minion has started since the last time, or the minutes of
        ``wormbase:enforce`` have passed, or it is the proxy and a web node is not in its
        pool, which may have come back; else it is put off.

    Returns ``{"put_off": why}``, or ``{"reports": [{"node", "kind", "changes", "more"}]}``,
    empty when everything was as it should be; ``docs/events.md`` has the events.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_node.enforce
    """
    layout = wbnode.minion.layout_of(__opts__)
    settings = wbnode.minion.settings_of(__pillar__)
    due = wbnode.enforce.is_due(layout, settings.enforce, __opts__["id"], __grains__.get("pid"))
    if when_due and not due and not _misses_a_web_node(settings):
        return {"put_off": "it is not time yet"}
    wanted = _fresh_pillar()
    stale = settings != Settings.parse(wanted)
    if stale:
        # The minion keeps the pillar that it started with, and runs go by that.
        __salt__["saltutil.refresh_pillar"]()
    states = __salt__["state.running"]()
    if why := wbnode.enforce.put_off(layout, wanted, states):
        return {"put_off": why}
    with wbnode.minion.alone(layout.enforce_lock):
        reports = _applied(layout, wanted)
        if stale:
            # Nobody says whether the refresh failed, as with a busy master: the next time shows it.
            wbnode.enforce.stay_due(layout)
    for report in reports:
        __salt__["event.send"](events.drift_tag(report.node), report.plain())
    if __salt__["wb_service.due"]() and __salt__["wb_service.pooled"]():
        # Said before, and not done: the master may not have heard it, or had no time.
        __salt__["event.send"](events.due_tag(__opts__["id"]))
    return {"reports": [report.plain() for report in reports]}


def _fresh_pillar():
    # Salt masks what it gives of a pillar unless it is asked not to.
    return __salt__["pillar.items"](unmask=True).get("wormbase", {})


def _applied(layout, wanted):
    """The reports of an application of this node's states; that it was brought to them is noted."""
    returned = __salt__["state.apply"]()
    digest = wbnode.enforce.digest(wanted, __opts__["cachedir"])
    return wbnode.enforce.reports(layout, __opts__["id"], digest, returned)


def _changed(reports, todo):
    """The ids of the states that changed something; StepFailed for the first that failed."""
    for report in reports:
        if report.kind == drift.FAILED:
            first = report.changes[0]
            raise StepFailed(f"{first.id}: {first.what}", todo)
    return [change.id for report in reports for change in report.changes]


def _misses_a_web_node(settings):
    if __opts__["id"] not in settings.having("proxy"):
        return False
    proxy = __salt__["wb_proxy.read"]()
    return not set(settings.having("web")) <= set(proxy["pools"][proxy["live"]])


def _roles():
    node = wbnode.minion.settings_of(__pillar__).nodes.get(__opts__["id"])
    if node is None:
        # A minion keeps its pillar; taking "not told yet" for "no roles" would be to see
        # an empty node.
        raise BadData(
            "its pillar does not name it under wormbase:nodes",
            f"run salt {__opts__['id']} saltutil.refresh_pillar",
        )
    return set(node.roles)


def _staging(build):
    staging = {
        "builds": {name: facts["ready"] for name, facts in __salt__["wb_build.builds"]().items()},
        "webapp": _told_or_error(__salt__["wb_webapp.staged"]),
    }
    if build:
        staging["survey"] = __salt__["wb_build.survey"](build)
        staging["unready"] = __salt__["wb_announce.unready"](build)
    return staging


def _told_or_error(function):
    """A server that does not answer is a finding here, not a failure."""
    try:
        return function()
    except (CommandExecutionError, json.JSONDecodeError) as error:
        return {"error": str(error)}
