"""The AceDB server of this node, which xinetd starts at the first connection.

Source: the wiki page, step 8; docs/field.md, "go live": the server is killed, xinetd starts it
again at the next connection.
"""

import contextlib
import os
import signal
import time
from pathlib import Path

import wbnode.minion
from wbcore.datasets import ACEDB
from wbcore.errors import StepFailed
from wbnode.acedb import AceClient

__virtualname__ = "wb_acedb"

# A server that is asked to end does so after its current request, within 5 ms.
END_SECONDS = 1.0
ANSWER_SECONDS = 10
_POLL_SECONDS = 0.005


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def restart():
    """Let the server serve what the live link points to now, and wait until it answers.

    A server goes on with the directory that it was started in, so it is ended; the next
    connection has xinetd start a new one. What it leaves of its read locks in the directory
    before is removed.

    Returns ``{"build": "WS221", "seconds": float}``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_acedb.restart
    """
    began = time.monotonic()
    servers = _servers()
    _end(servers)
    _remove_locks(servers)
    return {"build": _answer(), "seconds": round(time.monotonic() - began, 3)}


@wbnode.minion.salt_errors
def build():
    """The build that the running server serves, asked of it.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_acedb.build
    """
    return _answer()


def _answer():
    port = wbnode.minion.settings_of(__pillar__).acedb.port
    until = time.monotonic() + ANSWER_SECONDS
    reloaded = False
    while True:
        try:
            with AceClient(port, timeout=max(0.1, until - time.monotonic())) as client:
                return client.name()
        except OSError as error:
            if time.monotonic() > until:
                raise StepFailed(
                    f"AceDB does not answer on port {port}: {error}",
                    "look at xinetd and at database/serverlog.wrm of its database",
                ) from error
            if isinstance(error, ConnectionRefusedError) and not reloaded:
                # A server of an earlier xinetd kept the port from the one that runs now.
                __salt__["service.reload"]("xinetd")
                reloaded = True
            # A server that was just ended may have taken the connection.
            time.sleep(_POLL_SECONDS)


def _servers():
    """Process ids of the servers of the live database, not of one started for a preflight."""
    link = str(wbnode.minion.layout_of(__opts__).link("acedb"))
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if words[0].rpartition("/")[2] == "saceserver" and link in words[1:]:
                found.append(int(folder.name))
    return found


def _end(pids):
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        until = time.monotonic() + END_SECONDS
        while (pids := [pid for pid in pids if _lives(pid)]) and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
        if not pids:
            return
    raise StepFailed(f"AceDB's server {pids[0]} does not end", "look at its process")


def _lives(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _remove_locks(pids):
    """A server removes its lock through the live link, which points elsewhere by now."""
    home = wbnode.minion.layout_of(__opts__).kind(ACEDB)
    for pid in pids:
        for lock in home.glob(f"wormbase_*/database/readlocks/*.{pid}"):
            lock.unlink(missing_ok=True)
    for note in home.glob("wormbase_*/database/SERVER_PIDFILE.wrm"):
        if note.read_text(encoding="ascii", errors="replace").strip() in map(str, pids):
            note.unlink(missing_ok=True)
