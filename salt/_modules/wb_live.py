"""Making a release live on this node: its links, and the servers that follow them.

Source: the wiki page, step 8, "Go live script that adjusts database symlinks and restarts
services".
"""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import wbnode.epoch
import wbnode.files
import wbnode.minion
from salt.exceptions import CommandExecutionError
from wbcore.errors import StepFailed
from wbcore.golive.served import differences
from wbcore.model.roles import node_links

__virtualname__ = "wb_live"


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def switch(links, run, before, epoch=None):
    """Switch the live links of this node and let its servers serve what they point to.

    links
        All links of the release, name → target; the node takes those its roles have.
    run
        Id of the run that asks, for the journal.
    before
        Seconds since 1970 after which the order is stale: an order that was held up must
        not switch a node that serves again.
    epoch
        The epoch of the order, compared once nothing else can switch: an order of an earlier
        one than the node was told last is refused. None for an order by hand.

    Returns ``{"changed": {name: {"old", "new"}}, "version": …, "seconds": float}``. Nothing
    is restarted while the servers serve what the links have to say.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_live.switch '{acedb: wormbase_WS221}' run=by-hand before=2000000000
    """
    began = time.time()
    with wbnode.minion.alone(wbnode.minion.layout_of(__opts__).switch_lock):
        if time.time() > before:
            raise StepFailed(
                f"the order to switch is {time.time() - before:.1f} s too late, nothing was done",
                "compare this node's clock with the master's, and run the same command again",
            )
        wbnode.epoch.heed(wbnode.minion.layout_of(__opts__), epoch)
        wanted = node_links(wbnode.minion.settings_of(__pillar__), __opts__["id"], links)
        changed = _switch(wanted, run)
        return {"changed": changed, "version": version(), "seconds": time.time() - began}


@wbnode.minion.salt_errors
def epoch():
    """The last epoch that this node received, 0 before the first: a counter of change-overs,
    by which an old copy of the master's ledger is known.

    CLI Example:

    .. code-block:: bash

        salt '*' wb_live.epoch
    """
    return wbnode.epoch.held(wbnode.minion.layout_of(__opts__))


@wbnode.minion.salt_errors
def heed(epoch):
    """Let this node know that an epoch has begun: it refuses every order of an earlier one.

    epoch
        A number that the ledger has counted up.

    Returns the epoch that the node holds now.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_live.heed 12
    """
    return wbnode.epoch.heed(wbnode.minion.layout_of(__opts__), int(epoch))


@wbnode.minion.salt_errors
def version():
    """What the running servers of this node serve, asked of them at this moment.

    A web node gives the release of its webapp, and the builds of AceDB and MySQL; another one
    the builds of its MySQL server. ``error`` says what can not be learnt.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_live.version
    """
    roles = wbnode.minion.settings_of(__pillar__).nodes[__opts__["id"]].roles
    if "web" in roles:
        return __salt__["wb_webapp.version"]()
    return {"mysql": __salt__["wb_mysql.builds"]()} if "mysql" in roles else {}


def unfinished():
    """The journal of a switch that began here and did not end, or nothing.

    What can not be read was being written when the power went: a switch had begun.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_live.unfinished
    """
    try:
        return json.loads(wbnode.minion.layout_of(__opts__).journal.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        return {"run": "unknown"}


def _switch(wanted, run):
    have = __salt__["wb_link.read"]()
    right = all(have.get(name) == target for name, target in wanted.items())
    served = not unfinished() and not differences(_version_or_error(), wanted)
    if right and served:
        return {}
    kinds = {name.partition("/")[0] for name in wanted}
    if served and "production" in wanted:
        # Somebody moved a link and no server has followed: they are not interrupted for it.
        # (What AceDB serves is only known of a web node.)
        kinds &= {"mysql"}
    entry = json.dumps({"run": run, "from": have, "to": wanted}).encode()
    wbnode.files.write_whole(wbnode.minion.layout_of(__opts__).journal, entry)
    # Nobody is served here now, so the webapp is stopped and started: in half the time of a
    # restart that loses no request.
    if "production" in kinds:
        __salt__["wb_webapp.stop"]()
    changed = __salt__["wb_link.switch"](wanted)
    with ThreadPoolExecutor(1) as beside:
        # The journal may be on another file system: after a power cut it must not be gone while
        # the names are the old ones. The disk takes its time while the servers take theirs.
        on_disk = beside.submit(_flush, wanted)
        _restart(kinds)
        on_disk.result()
    wbnode.minion.layout_of(__opts__).journal.unlink()
    return changed


def _flush(links):
    layout = wbnode.minion.layout_of(__opts__)
    for folder in {layout.link(name).parent for name in links}:
        wbnode.files.flush_names(folder)


def _restart(kinds):
    if "mysql" in kinds:
        __salt__["wb_mysql.flush"]()
    if "acedb" in kinds:
        __salt__["wb_acedb.restart"]()
    if "production" in kinds:
        __salt__["wb_webapp.start"]()


def _version_or_error():
    try:
        return version()
    except CommandExecutionError as error:
        return {"error": str(error)}
