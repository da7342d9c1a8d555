"""The settings and paths of this node, complete with their defaults, for states and people."""

import json
from dataclasses import asdict

import wbnode.minion
from wbcore.datasets import KINDS
from wbnode.serving.report import Servers

__virtualname__ = "wb_settings"
_SECRET = ("mail", "blog", "landing")


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def read():
    """The settings of the pillar root ``wormbase`` and the paths that states use.

    Returns the sections of the settings without what is secret, with ``web`` (the web nodes:
    id → ``address:port``) and ``paths`` besides.

    CLI Example:

    .. code-block:: bash

        salt-call wb_settings.read
    """
    settings = wbnode.minion.settings_of(__pillar__)
    layout = wbnode.minion.layout_of(__opts__)
    web = {
        node: f"{settings.nodes[node].address}:{settings.webapp.port}"
        for node in settings.having("web")
    }
    names = (
        *("root", "state", "proxy", "haproxy", "carrier", "programs"),
        *("wormbase", "production", "builds", "software"),
    )
    paths = {name: str(getattr(layout, name)) for name in names}
    paths.update({kind: str(layout.kind(kind)) for kind in KINDS})
    paths["acedb_link"] = str(layout.link("acedb"))
    plain = {key: value for key, value in asdict(settings).items() if key not in _SECRET}
    plain["carrier"].pop("private_key")
    return {**plain, "web": web, "paths": paths}


@wbnode.minion.salt_errors
def report():
    """What the report of this web node asks, and whom it answers, for its configuration file.

    Returns ``{"port": int, "proxies": [addresses], "servers": {…}}``.

    CLI Example:

    .. code-block:: bash

        salt-call wb_settings.report
    """
    settings = wbnode.minion.settings_of(__pillar__)
    return {
        "port": settings.report.port,
        "proxies": [settings.nodes[node].address for node in settings.having("proxy")],
        "servers": Servers.of(settings, __opts__["id"]).plain(),
    }


def live():
    """What is live, as rows for a loop: one, or none while the master does not say.

    Nothing is made of a missing value: a pillar that failed on the master must not be
    taken for a site that serves nothing.

    CLI Example:

    .. code-block:: bash

        salt-call wb_settings.live
    """
    # Plain, since Salt masks what `pillar.get` gives and what is printed of a pillar.
    told = json.loads(json.dumps(__pillar__.get("wormbase", {}).get("live") or {}))
    return [told] if told.get("release") else []
