"""The proxy in front of the web nodes: who serves, and whether anybody does.

There are two pools, ``a`` and ``b``; which of them serves is one entry of a map that HAProxy
reads at every request, and so is the maintenance page. Nothing of that reloads anything, so clients
keep their connections.

Source: the wiki page, steps 6 and 9, "Put the site into maintenance mode" and "Restore the
site to active mode".
"""

import contextlib
import re
import time

import wbnode.epoch
import wbnode.minion
import wbnode.proxy
from wbcore.errors import BadRequest
from wbcore.golive.error_rate import count, since, too_many
from wbcore.model import proxy_pools
from wbcore.model.proxy_pools import Lease
from wbcore.names import Release

__virtualname__ = "wb_proxy"
__func_alias__ = {"open_": "open"}

# So much longer than HAProxy waits for a web node its requests are waited for.
GRACE_SECONDS = 2
# Whoever waits for an answer longer than this when the page goes up gets none: the whole
# window has few seconds.
DRAIN_SECONDS = 1
# A keeper that was killed is back by then.
KEEPER_SECONDS = 3
SNAPSHOT_SECONDS = 1
WATCH_SECONDS = 1


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def read():
    """Which pool serves, who is in which pool, and the maintenance page if it is up. A node
    that is in a pool under another address than the pillar's is not counted.

    Returns ``{"live": "a" or "b", "pools": {"a": [ids], "b": [ids]}, "maintenance":
    {"until": seconds since 1970, "release": name} or None}``.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.read
    """
    proxy = _proxy()
    lease = proxy.lease()
    return {
        "live": proxy.live,
        "pools": {pool: _in_place(proxy.pooled(pool)) for pool in proxy_pools.POOLS},
        "maintenance": {"until": lease.until, "release": lease.release} if lease else None,
    }


@wbnode.minion.salt_errors
def set_pool(pool, nodes, epoch=None):
    """Let exactly these web nodes be in a pool, and wait for what the others still answer.

    pool
        ``a`` or ``b``.
    nodes
        Ids of web nodes; a pool without any answers with the maintenance page.
    epoch
        The epoch of the order: one of an earlier epoch than the proxy was told last is
        refused. None for an order by hand. So for the functions below.

    When it returns, no request that was given to a node by the list before is under way.
    Returns ``{"nodes": […], "seconds": float}``.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.set_pool a '[wb-web1, wb-web2]'
    """
    settings = wbnode.minion.settings_of(__pillar__)
    _known_web_nodes(settings, nodes)
    servers = _servers(settings)
    chosen = {node: servers[node] for node in nodes}
    proxy = _proxy()
    with _ordered(proxy, epoch):
        # Under the maintenance page nothing is under way that is worth waiting for.
        page = proxy.lease() is not None
        whole = settings.nginx.request_seconds + GRACE_SECONDS
        patience = DRAIN_SECONDS if page else whole
        drained = proxy.set_pool(proxy_pools.known(pool), chosen, patience, cut=page)
    return {"nodes": list(nodes), "seconds": drained["seconds"]}


@wbnode.minion.salt_errors
def missing():
    """The names of the files that are not there and without which HAProxy does not start.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.missing
    """
    return sorted(_proxy().missing())


@wbnode.minion.salt_errors
def prepare():
    """Lay each file that HAProxy needs and that is not there: empty pools, of which ``a`` is live.

    Returns the names of the files that were laid.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.prepare
    """
    proxy = _proxy()
    missing_files = proxy.missing()
    for name, text in missing_files.items():
        proxy.lay(name, text)
    return sorted(missing_files)


@wbnode.minion.salt_errors
def change_over(pool, epoch=None):
    """Let a pool serve from the next request on.

    Requests under way are answered by the pool before; ``set_pool`` waits for them.
    Returns ``{"old": pool, "new": pool}``.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.change_over b
    """
    proxy = _proxy()
    with _ordered(proxy, epoch):
        old = proxy.live
        proxy.change_over(proxy_pools.known(pool))
    return {"old": old, "new": pool}


@wbnode.minion.salt_errors
def maintain(release, seconds, patience, links=None, epoch=None):
    """Put the maintenance page up, and return once no request to a web node is under way.

    release
        Name of the release that is live, or nothing.
    seconds
        The page's lease: when it has run out, the proxy's keeper takes the page down, once
        all web nodes that served before serve one whole release.
    patience
        Seconds after the lease at which it does so with those that do. Asked for again both
        begin anew.

    links
        Node id → live links that each web node gets behind the page, name → target: the page
        ends with those that serve all of that, or with those that serve what was before.

    Returns ``{"until": seconds since 1970, "seconds": float, "cut": requests that
    took too long and were cut}``.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.maintain WS220-2010.11.01-0.02-1300 seconds=4 patience=0.3
    """
    if release:
        Release.parse(release)
    proxy = _proxy()
    with _ordered(proxy, epoch):
        proxy.refuse_without_keeper(KEEPER_SECONDS)
        was_up = proxy.lease() is not None
        times = (float(seconds), float(patience))
        lease = _lease(proxy, str(release or ""), *times, dict(links or {}))
        try:
            proxy.page_up(lease)
            drained = proxy.drain(DRAIN_SECONDS)
        except BaseException:
            # Behind a page that was up already nodes may be half switched: its keeper ends it.
            if not was_up:
                proxy.page_down()
            raise
    return {"until": lease.until, **drained}


@wbnode.minion.salt_errors
def open_(epoch=None):
    """Take the maintenance page down.

    Returns whether it was up.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.open
    """
    proxy = _proxy()
    with _ordered(proxy, epoch):
        was_up = proxy.lease() is not None
        proxy.page_down()
    return was_up


@wbnode.minion.salt_errors
def watch(seconds, percent):
    """Watch for a while how many requests fail, beside how many did before.

    seconds
        How long; it ends earlier when too many fail.
    percent
        So many percent of all requests more than before are too many.

    Returns ``{"before": {"answers": int, "errors": int}, "after": {…}, "bad": bool}``;
    an error is an answer of 500 or more.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.watch seconds=10 percent=1
    """
    proxy, until = _proxy(), time.monotonic() + float(seconds)
    before, begun = count(proxy.answered_lately()), proxy.answered()
    while True:
        time.sleep(min(WATCH_SECONDS, max(0, until - time.monotonic())))
        after = since(begun, proxy.answered())
        bad = too_many(before, after, float(percent))
        if bad or time.monotonic() >= until:
            return {"before": before, "after": after, "bad": bad}


@wbnode.minion.salt_errors
def ask(path, nodes, timeout=10, measure=False):
    """Ask single web nodes, also while the maintenance page is up.

    timeout
        Seconds that each node has.
    measure
        Tell a few numbers of each page, of up to 64 MiB, instead of the page, of up to 64 KiB.

    Returns ``{node: {"status": int, "seconds": float, "body": …}}``; a body of JSON is
    parsed, and status 0 has an error as its body. With ``measure``, ``numbers`` (name → int)
    stands in the place of a body.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.ask / '[wb-web1, wb-web2]'
    """
    if not re.fullmatch(r"/[!-~]*", str(path)):
        raise BadRequest(f"{str(path)[:60]!r} is not a path", "a path begins with /")
    settings = wbnode.minion.settings_of(__pillar__)
    _known_web_nodes(settings, nodes)
    servers = _servers(settings)
    where = {node: servers[node] for node in nodes}
    return _proxy().ask(where, path, float(timeout), measure)


@wbnode.minion.salt_errors
def reports(nodes, timeout=10):
    """What single web nodes serve, as the report of each says, also behind the maintenance page.

    timeout
        Seconds that each node has.

    Returns ``{node: {"status": int, "seconds": float, "body": …}}``: with status 200 the body is
    what :func:`wb_live.version` gives; with any other it says why that is not known.

    CLI Example:

    .. code-block:: bash

        salt fe wb_proxy.reports '[wb-web1, wb-web2]'
    """
    settings = wbnode.minion.settings_of(__pillar__)
    _known_web_nodes(settings, nodes)
    return _proxy().reports(_reports(settings, nodes), float(timeout))


def _proxy():
    return wbnode.proxy.Proxy(wbnode.minion.layout_of(__opts__))


@contextlib.contextmanager
def _ordered(proxy, epoch):
    """Nobody else moves a pool or a flag meanwhile, and no order of an earlier epoch does."""
    with proxy.alone():
        wbnode.epoch.heed(proxy.layout, epoch)
        yield


def _servers(settings):
    """Where each web node of the pillar serves."""
    web = settings.having("web")
    return {node: f"{settings.nodes[node].address}:{settings.webapp.port}" for node in web}


def _reports(settings, nodes):
    """Where the report of each node answers; one that left the pillar has none."""
    known = [node for node in nodes if node in settings.nodes]
    return {node: f"{settings.nodes[node].address}:{settings.report.port}" for node in known}


def _in_place(pooled):
    """The nodes of a pool; one that the pillar does not have any more is for others to notice."""
    servers = _servers(wbnode.minion.settings_of(__pillar__))
    return [node for node, where in pooled.items() if servers.get(node, where) == where]


def _known_web_nodes(settings, nodes):
    unknown = sorted(set(nodes) - set(settings.having("web")))
    if unknown:
        raise BadRequest(
            f"{unknown[0]} is not a web node", "the nodes are listed in the pillar wormbase:nodes"
        )


def _lease(proxy, release, seconds, patience, links):
    """A lease from now on, with what the site served before the page first went up, and what
    it first went up for."""
    settings, earlier = wbnode.minion.settings_of(__pillar__), proxy.lease()
    if earlier:
        answers, links = earlier.served, earlier.links
    else:
        pooled = _reports(settings, proxy.pooled(proxy.live))
        answers = wbnode.proxy.served(proxy.reports(pooled, SNAPSHOT_SECONDS))
    until = time.time() + seconds
    where = _reports(settings, settings.having("web"))
    return Lease(release, until, until + patience, where, answers, links)
