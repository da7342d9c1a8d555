"""The one shape of our states: read; equal → nothing; changes; test → None; apply."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from salt.exceptions import CommandExecutionError
from wbcore.errors import ReleaseError

# Without a minion, under salt-call, nobody answers.
_LEARN_SECONDS = 10
State = dict[str, Any]
F = TypeVar("F", bound=Callable[..., State])


def failed_state(function: F) -> F:
    """Turn an error of a state function into a failed state with the error as its comment."""

    @functools.wraps(function)
    def wrapper(name: str, *args: Any, **kwargs: Any) -> State:
        try:
            return function(name, *args, **kwargs)
        except (ReleaseError, CommandExecutionError) as error:
            return outcome(name, False, str(error))

    return wrapper  # type: ignore[return-value]


def reach(
    name: str,
    test: bool,
    read: Callable[[], Mapping[str, Any]],
    wanted: Mapping[str, Any],
    apply: Callable[[dict[str, Any]], object],
) -> State:
    """The return of a state that makes ``read()`` agree with ``wanted``.

    read
        What there is: key → value.
    wanted
        What has to be; a key that it lacks may be anything.
    apply
        Is given the part of ``wanted`` that is not so yet.
    """
    have = read()
    wrong = {key: value for key, value in wanted.items() if have.get(key) != value}
    if not wrong:
        return outcome(name, True, "It is so already.")
    changes = {key: {"old": have.get(key), "new": value} for key, value in wrong.items()}
    if test:
        return outcome(name, None, "It would be changed.", changes)
    apply(wrong)
    return outcome(name, True, "It was changed.", changes)


def outcome(
    name: str, result: bool | None, comment: str, changes: Mapping[str, Any] | None = None
) -> State:
    """A state's return."""
    return {"name": name, "result": result, "changes": dict(changes or {}), "comment": comment}


def still_live(
    salt: Mapping[str, Callable[..., Any]], release: str, epoch: int | None = None
) -> bool:
    """Whether the master, asked again, says that a release is live and no go-live at work:
    one may have begun after the states were given to the node.

    salt
        Salt's execution functions.
    epoch
        The epoch in which it has to be live; None for any.
    """
    now = live(salt)
    same = now.get("release") == release and epoch in (None, now.get("epoch"))
    return same and not now.get("going_live")


def live(salt: Mapping[str, Callable[..., Any]]) -> Mapping[str, Any]:
    """What the master, asked again, says has to be live here; see :mod:`wbcore.model.desired`.

    salt
        Salt's execution functions.
    """
    # Salt masks what it gives of a pillar unless it is asked not to.
    found: Mapping[str, Any] = salt["pillar.items"](unmask=True).get("wormbase", {}).get("live")
    return found or {}


def learn(salt: Mapping[str, Callable[..., Any]]) -> None:
    """Let the minion itself have the pillar that its states were made of: it keeps the one that
    it has, and what the master asks of it goes by that.

    salt
        Salt's execution functions.
    """
    salt["saltutil.refresh_pillar"](wait=True, timeout=_LEARN_SECONDS)
