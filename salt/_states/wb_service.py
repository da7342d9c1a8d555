"""Services that run and start at boot.

Salt's own state ``service.running`` asks first whether the machine is offline, for which
every module of Salt is loaded: more than half of the time that a node's states take.

.. code-block:: yaml

    nginx runs:
      wb_service.running:
        - name: nginx
        - reload: True
        - watch:
          - wb_nginx: nginx passes requests to HAProxy
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import wbnode.state
from wbcore.errors import StepFailed
from wbnode.state import State

# Salt gives them to the module.
__opts__: dict[str, Any]
__salt__: Mapping[str, Callable[..., Any]]

__virtualname__ = "wb_service"
_LATER = "It restarts once this node is out of the pool."
_BY_HAND = "It serves, and this node is in no pool: run salt {} wb_service.restart_due for it."
_LEFT = "A go-live is running: the service is left to it."


def __virtual__() -> str:
    return __virtualname__


@wbnode.state.failed_state
def running(
    name: str,
    reload: bool = False,
    interrupts: bool = False,
    release: str = "",
    going_live: bool = False,
    at: int | str = "",
) -> State:
    """Make sure that a service runs and starts at boot.

    reload
        Whether it is reloaded instead of restarted when a state that it watches changed.
    interrupts
        Whether visitors would notice it: on a node on which something is live it waits then
        until the master has taken the node out of the pool.
    release
        What it serves, if a go-live starts and stops it: before it is started the master is
        asked again, since one may have begun after this state was given to the node.
    going_live
        Whether a go-live is running: the service is left to it then.
    at
        The port, or the path of the socket, where it is reached. Somebody who listens there
        while its unit does not run was started by other means, and serves: to give way to the
        unit waits in the same way, whatever is live.
    """
    if going_live:
        return wbnode.state.outcome(name, True, _LEFT)
    have = _state(name)
    wanted = dict.fromkeys(have, True)
    asked = release and have != wanted and not __opts__["test"]
    if asked and not wbnode.state.still_live(__salt__, release):
        return wbnode.state.outcome(name, True, _LEFT)
    if at and not have["running"] and __salt__["wb_service.taken"](at):
        return _left_serving(name, have["enabled"])
    # Salt does not call mod_watch after the change, so it may have to be restarted, too.
    if interrupts and have == {**wanted, "enabled": False} and __salt__["wb_service.serves"]():
        return _left_serving(name, enabled=False)
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: have,
        wanted,
        lambda wrong: _bring_about(name, wrong, reload, interrupts),
    )


@wbnode.state.failed_state
def enabled(name: str) -> State:
    """Make sure that a service starts at boot, whether it runs now or not."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: {"enabled": _state(name)["enabled"]},
        {"enabled": True},
        lambda _: _enable(name),
    )


@wbnode.state.failed_state
def mod_watch(
    name: str,
    reload: bool = False,
    interrupts: bool = False,
    going_live: bool = False,
    **_: Any,
) -> State:
    """Reload or restart a running service after a change of a state that it watches."""
    if going_live:
        return wbnode.state.outcome(name, True, _LEFT)
    verb = "reload" if reload else "restart"
    if interrupts and __salt__["wb_service.serves"]():
        return _later(name)
    if __opts__["test"]:
        return wbnode.state.outcome(name, None, f"It would {verb}.", {name: verb})
    _act(verb, name)
    return wbnode.state.outcome(name, True, f"It did {verb}.", {name: verb})


def _left_serving(name: str, enabled: bool) -> State:
    """The service is started by its unit from the next boot on; until then, what serves does."""
    later = _later(name)
    if enabled:
        return later
    if not __opts__["test"]:
        _enable(name)
    changes = {**later["changes"], "enabled": {"old": False, "new": True}}
    result = None if __opts__["test"] else True
    return wbnode.state.outcome(name, result, later["comment"], changes)


def _later(name: str) -> State:
    pooled = __salt__["wb_service.pooled"]()
    comment = _LATER if pooled else _BY_HAND.format(__opts__["id"])
    if name in __salt__["wb_service.due"]():
        return wbnode.state.outcome(name, True, comment)
    if __opts__["test"]:
        return wbnode.state.outcome(name, None, comment, {name: "restart due"})
    __salt__["wb_service.restart_later"](name)
    return wbnode.state.outcome(name, True, comment, {name: "restart due"})


def _state(name: str) -> dict[str, bool]:
    """Whether a service runs and is enabled, by the files that its unit has now.

    That systemd reads changed files anew is no change of the service: after a change Salt would
    not call ``mod_watch``, and the service would go on as before.
    """
    have: dict[str, bool] = __salt__["wb_service.state"](name)
    if not have.pop("current") and not __opts__["test"]:
        __salt__["wb_service.reread"]()
    return have


def _bring_about(name: str, wrong: Mapping[str, Any], reload: bool, interrupts: bool) -> None:
    if "enabled" in wrong:
        _enable(name)
    if "running" in wrong:
        # A start does nothing where systemd takes a service that has ended for one that runs.
        _act("restart", name)
    else:
        # Salt does not call mod_watch after this change.
        mod_watch(name, reload, interrupts)


def _enable(name: str) -> None:
    if not __salt__["service.enable"](name):
        raise StepFailed(
            f"{name} can not be enabled for boot", f"run systemctl enable {name} on this node"
        )


def _act(verb: str, name: str) -> None:
    """Start, reload or restart a service; it runs when this returns."""
    done = __salt__[f"service.{verb}"](name)
    if not done or not __salt__["wb_service.state"](name)["running"]:
        raise StepFailed(f"{name} did not {verb}", f"run systemctl status {name} on this node")
