"""The master, as the board asks it: over the network, and only under a person's own token."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import salt.auth
import salt.channel.client
import salt.client.mixins
import salt.utils.minions
from salt.exceptions import (
    AuthenticationError,
    EauthAuthenticationError,
    SaltClientError,
    SaltClientTimeout,
    SaltReqTimeoutError,
    TokenAuthenticationError,
)
from wbcore.errors import BadRequest, StepFailed
from wbmaster.nodes.bus import LOST

_SECONDS = 120
# For the master to take what it is asked; whoever presses a button waits for it.
_TAKEN_SECONDS = 15
_REFUSED = (AuthenticationError, EauthAuthenticationError, TokenAuthenticationError)
_WAY_OUT = "see that salt-master runs: systemctl status salt-master"


class Refused(BadRequest):
    """The master does not let this person do it."""


class _Runners(salt.client.mixins.SyncClientMixin):  # type: ignore[misc]
    """Calls of runners; Salt's own client would load all of them into this process."""

    client = "runner"

    def __init__(self, opts: Mapping[str, Any]) -> None:
        self.opts = opts


class Master:
    """Names, passwords and calls of runners go to the master; it decides."""

    def __init__(self, opts: Mapping[str, Any]) -> None:
        # Salt would try for three minutes, and a master that comes back meanwhile would do what
        # nobody expects any more.
        once = {"request_channel_timeout": _TAKEN_SECONDS, "request_channel_tries": 1}
        self._opts = {**opts, **once}

    @property
    def ways(self) -> list[str]:
        """The ways to log in that ``external_auth`` has."""
        return sorted(self._opts.get("external_auth") or {})

    def log_in(self, way: str, name: str, password: str) -> dict[str, Any]:
        """The token that the master gives to a person: ``token``, ``name``, ``expire`` (seconds
        since 1970); Refused for a wrong name or password."""
        asked = {"cmd": "mk_token", "eauth": way, "username": name, "password": password}
        try:
            self._check_there()
            with salt.channel.client.ReqChannel.factory(
                self._opts, crypt="clear", usage="master_call"
            ) as channel:
                token = channel.send(asked)
        except (SaltClientError, SaltReqTimeoutError, *LOST) as error:
            raise StepFailed(f"the master does not answer ({error})", _WAY_OUT) from error
        if not isinstance(token, Mapping) or "token" not in token:
            raise Refused("name or password is wrong", "try again")
        return dict(token)

    def may(self, token: Mapping[str, Any], function: str) -> bool:
        """Whether ``external_auth`` lets the person of a token call a function of a runner."""
        auth = salt.auth.LoadAuth(self._opts)
        rights = auth.get_auth_list({**token, "username": token["name"]}, token)
        checked = salt.utils.minions.CkMinions(self._opts).runner_check(rights, function, {})
        return checked is True

    def call(self, token: str, function: str, **arguments: Any) -> Any:
        """What a function of a runner returns to a person; Refused when they may not call it,
        BadRequest with our own sentence when it refuses."""
        given = {"arg": [], "kwarg": arguments}
        asked = {"fun": function, "kwarg": given, "token": token}
        try:
            self._check_there()
            returned = _Runners(self._opts).cmd_sync(asked, timeout=_SECONDS)
        except _REFUSED as error:
            raise Refused(
                f"you may not call {function}",
                "ask for it in external_auth on the master, or log in again",
            ) from error
        except (SaltClientTimeout, SaltReqTimeoutError) as error:
            raise StepFailed(
                f"{function} has not answered yet", "look later whether it was done"
            ) from error
        except (SaltClientError, *LOST) as error:
            raise StepFailed(f"the master does not answer ({error})", _WAY_OUT) from error
        if isinstance(returned, Mapping) and returned.get("retcode"):
            what, _, todo = str(returned.get("error", "it was refused")).partition("; ")
            raise BadRequest(what, todo)
        if isinstance(returned, str) and returned.startswith("Exception occurred"):
            raise StepFailed(f"{function} failed", "the log of the master says why")
        return returned

    def _check_there(self) -> None:
        """Tell at once of a master that does not run: what is sent to it would wait, and be done
        when it runs again."""
        where = urlsplit(self._opts["master_uri"])
        address = (str(where.hostname), int(where.port or 0))
        socket.create_connection(address, _TAKEN_SECONDS).close()
