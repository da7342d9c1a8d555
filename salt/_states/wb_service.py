"""Services that run and start at boot.

Salt's own state ``service.running`` asks first whether the machine is offline, for which
every module of Salt is loaded: more than half of the time that a node's states take.

.. code-block:: yaml

    nginx runs:
      wb_service.running:
        - name: nginx
        - reload: True
        - watch:
          - file: nginx is configured
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
) -> State:
    """Make sure that a service runs and starts at boot.

    reload
        Whether it is reloaded instead of restarted when a state that it watches changed.
    interrupts
        Whether visitors would notice a restart: on a web node that serves it waits then until
        the master has taken the node out of the pool.
    release
        What it serves, if a go-live starts and stops it: before it is started the master is
        asked again, since one may have begun after this state was given to the node.
    going_live
        Whether a go-live is running: the service is left to it then.
    """
    if going_live:
        return wbnode.state.outcome(name, True, _LEFT)
    have = _known(name)
    wanted = dict.fromkeys(have, True)
    asked = release and have != wanted and not __opts__["test"]
    if asked and not wbnode.state.still_live(__salt__, release):
        return wbnode.state.outcome(name, True, _LEFT)
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: have,
        wanted,
        lambda wrong: _bring_about(name, wrong),
    )


@wbnode.state.failed_state
def enabled(name: str) -> State:
    """Make sure that a service starts at boot, whether it runs now or not."""
    return wbnode.state.reach(
        name,
        __opts__["test"],
        lambda: {"enabled": __salt__["wb_service.state"](name)["enabled"]},
        {"enabled": True},
        lambda wrong: _bring_about(name, wrong),
    )


@wbnode.state.failed_state
def mod_watch(
    name: str,
    reload: bool = False,
    interrupts: bool = False,
    going_live: bool = False,
    **_: Any,
) -> State:
    """Let a running service go by what a state that it watches changed."""
    if going_live:
        return wbnode.state.outcome(name, True, _LEFT)
    verb = "reload" if reload else "restart"
    if interrupts and __salt__["wb_service.serves"]():
        return _later(name)
    if __opts__["test"]:
        return wbnode.state.outcome(name, None, f"It would {verb}.", {name: verb})
    _act(verb, name)
    return wbnode.state.outcome(name, True, f"It did {verb}.", {name: verb})


def _known(name: str) -> dict[str, bool]:
    """What systemd says of a service, once it has read the files of its unit.

    That is no change of the service: Salt lets a state that changed something not go by what it
    watches, and the restart would be forgotten.
    """
    have = dict(__salt__["wb_service.state"](name))
    if not have.pop("current") and not __opts__["test"]:
        __salt__["wb_service.reread"]()
    return have


def _later(name: str) -> State:
    if __opts__["test"]:
        return wbnode.state.outcome(name, None, _LATER, {name: "restart due"})
    __salt__["wb_service.restart_later"](name)
    return wbnode.state.outcome(name, True, _LATER, {name: "restart due"})


def _bring_about(name: str, wrong: Mapping[str, Any]) -> None:
    if "enabled" in wrong and not __salt__["service.enable"](name):
        raise StepFailed(
            f"{name} can not be enabled for boot", f"run systemctl enable {name} on this node"
        )
    if "running" in wrong:
        _act("start", name)


def _act(verb: str, name: str) -> None:
    """Start, reload or restart a service; it runs when this returns."""
    done = __salt__[f"service.{verb}"](name)
    if not done or not __salt__["wb_service.state"](name)["running"]:
        raise StepFailed(f"{name} did not {verb}", f"run systemctl status {name} on this node")
