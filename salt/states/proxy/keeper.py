#!/usr/bin/python3
"""keeper.py [--root DIR]: ends the maintenance page when its lease has run out.

A service, ``wormbase-keeper``: it uses neither Salt nor a minion, and no page goes up while it
does not run. Should nobody have taken the page down when its lease ends, it comes down as soon as
all web nodes serve one whole release. Those that do not within the lease's patience leave the live
pool; while none does, the page stays. Standard library only.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import wbnode.proxy
from wbcore.errors import ReleaseError
from wbcore.layout import Layout
from wbcore.model import proxy_pools

# The page has to be gone soon after its lease, so the first questions are short; later ones
# are for nodes under load.
FIRST_ASK_SECONDS = 0.4
FIRST_SECONDS = 1
ASK_SECONDS = 3
LOOK_SECONDS = 0.1
AGAIN_SECONDS = 0.3


def main() -> None:
    """Keep every page, one keeper at a time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default="/", type=Path, help="root of the node")
    proxy = wbnode.proxy.Proxy(Layout(parser.parse_args().root))
    with proxy.kept():
        while True:
            keep(proxy)
            settle(proxy)
            time.sleep(LOOK_SECONDS)


def settle(proxy: wbnode.proxy.Proxy) -> None:
    """Have HAProxy told what somebody who died has only written."""
    if proxy.interrupted:
        try:
            with proxy.alone():
                pass
        except ReleaseError as error:
            note(proxy, f"an order is not carried out: {error}")


def keep(proxy: wbnode.proxy.Proxy) -> None:
    """Return when the page is down, by whomever."""
    while lease := proxy.lease():
        rest = lease.until - time.time()
        if rest > 0:
            time.sleep(min(rest, LOOK_SECONDS))
        elif not ended(proxy, FIRST_ASK_SECONDS if rest > -FIRST_SECONDS else ASK_SECONDS):
            time.sleep(AGAIN_SECONDS)


def ended(proxy: wbnode.proxy.Proxy, patience: float) -> bool:
    """Whether the page could be ended; what stood in the way is written down."""
    try:
        return end(proxy, patience)
    except ReleaseError as error:
        note(proxy, f"the page stays: {error}")
        return False


def end(proxy: wbnode.proxy.Proxy, patience: float) -> bool:
    """Take the page down if its lease is over and the site can serve one whole release."""
    with proxy.alone():
        lease = proxy.lease()
        if lease is None or lease.until > time.time():
            return True
        pooled = proxy.pooled(proxy.live)
        nodes = list(pooled)
        where = {node: lease.reports[node] for node in nodes if node in lease.reports}
        answers = proxy.reports(where, patience)
        kept = proxy_pools.to_keep(wbnode.proxy.served(answers), lease)
        if not proxy_pools.may_open(kept, nodes, lease, time.time()):
            note(proxy, f"of {nodes} only {kept} serve one whole release; the page stays")
            return False
        if len(kept) < len(nodes):
            whole = {node: pooled[node] for node in kept}
            proxy.set_pool(proxy.live, whole, patience=1, cut=True)
        proxy.page_down()
    note(proxy, f"the lease of {lease.release or 'no release'} ended; serving: {kept}")
    return True


def note(proxy: wbnode.proxy.Proxy, text: str) -> None:
    """Write what happened where a person finds it."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with open(proxy.layout.proxy / "keeper.log", "a", encoding="utf-8") as log:
        log.write(f"{when} {text}\n")


if __name__ == "__main__":
    main()
