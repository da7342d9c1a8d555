"""The AceDB server of this node, which xinetd starts at the first connection.

A server is known by the port that it holds, so it may be any program: ``saceserver``, or a site's
own ``sgifaceserver``.

Source: the wiki page, step 8; docs/field.md, "go live": the server is killed, xinetd starts it
again at the next connection.
"""

import contextlib
import re
import signal
import socket
import time

import wbnode.minion
from wbcore.datasets import ACEDB
from wbcore.errors import StepFailed
from wbnode.acedb import AceClient
from wbnode.due_restarts import XINETD
from wbnode.ending import end
from wbnode.serving import processes

__virtualname__ = "wb_acedb"

# A server that is asked to end does so after its current request, within 5 ms.
END_SECONDS = 1.0
ANSWER_SECONDS = 10
_POLL_SECONDS = 0.005
_ENTRY = re.compile(r"^[ \t]*service[ \t]+(\S+)\s*\{(.*?)^[ \t]*\}", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r"^[ \t]*(\w+)[ \t]*=[ \t]*(\S+)[ \t]*$", re.MULTILINE)
# These hold the port, too, to hand it to a server.
_STARTERS = {XINETD, "systemd"}


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
    _end_servers()
    return {"build": _answer(), "seconds": round(time.monotonic() - began, 3)}


@wbnode.minion.salt_errors
def follow():
    """Let xinetd follow its files and AceDB's server with it, and wait until that answers.

    An xinetd that its unit did not start gives way to the unit; other servers that it has started
    go on. AceDB does not answer meanwhile: the master calls it through ``wb_service.restart_due``
    while this node serves nobody.

    Returns ``{"build": "WS221", "seconds": float}``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_acedb.follow
    """
    began = time.monotonic()
    verb = "reload" if __salt__["wb_service.state"](XINETD)["running"] else "restart"
    if verb == "restart":
        starters = [pid for pid in _holders() if processes.program(pid) == XINETD]
        # By this signal it ends none of the servers that it has started.
        end(starters, XINETD, END_SECONDS, signal.SIGQUIT)
        _end_servers()
    if not __salt__[f"service.{verb}"](XINETD):
        raise StepFailed(f"{XINETD} did not {verb}", f"run systemctl status {XINETD} on this node")
    return {**restart(), "seconds": round(time.monotonic() - began, 3)}


@wbnode.minion.salt_errors
def build():
    """The build that the running server serves, asked of it.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_acedb.build
    """
    return _answer()


@wbnode.minion.salt_errors
def rivals():
    """The files of xinetd, beside the one that the pillar names, that give out AceDB's port.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_acedb.rivals
    """
    acedb = wbnode.minion.settings_of(__pillar__).acedb
    folder = wbnode.minion.layout_of(__opts__).below("/etc/xinetd.d")
    # xinetd reads none with a dot in its name.
    others = (path for path in sorted(folder.glob("*")) if path.name != acedb.xinetd)
    texts = {
        str(path): path.read_text(encoding="utf-8", errors="replace")
        for path in others
        if "." not in path.name and path.is_file()
    }
    return [path for path, text in texts.items() if acedb.port in _ports(text)]


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
                __salt__["service.reload"](XINETD)
                reloaded = True
            # A server that was just ended may have taken the connection.
            time.sleep(_POLL_SECONDS)


def _ports(text):
    """The TCP ports of the entries in a file of xinetd."""
    for name, entry in _ENTRY.findall(text):
        told = dict(_ATTRIBUTE.findall(entry))
        if told.get("disable") != "yes" and told.get("protocol") != "udp":
            with contextlib.suppress(OSError, ValueError):
                yield int(told["port"]) if "port" in told else socket.getservbyname(name, "tcp")


def _holders():
    """The processes that hold the port of the live database."""
    port = wbnode.minion.settings_of(__pillar__).acedb.port
    return processes.holders(processes.listening(port))


def _end_servers():
    servers = [pid for pid in _holders() if processes.program(pid) not in _STARTERS]
    end(servers, "AceDB's server", END_SECONDS)
    _remove_locks(servers)


def _remove_locks(pids):
    """A server removes its lock through the live link, which points elsewhere by now."""
    home = wbnode.minion.layout_of(__opts__).kind(ACEDB)
    for pid in pids:
        for lock in home.glob(f"wormbase_*/database/readlocks/*.{pid}"):
            lock.unlink(missing_ok=True)
    for note in home.glob("wormbase_*/database/SERVER_PIDFILE.wrm"):
        if note.read_text(encoding="ascii", errors="replace").strip() in map(str, pids):
            note.unlink(missing_ok=True)
