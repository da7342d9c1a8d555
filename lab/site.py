"""The site's own pillar, which on a real master a person writes after pillar.example/."""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .builds.databases import NAMES
from .command import run
from .inventory import Inventory
from .place import Place

PILLAR = "/srv/wormbase-site/pillar"
# Where the lab's webapp has its databases, for the preflight: docs/webapp.md.
_PREFLIGHT_CONF = """\
<Model::WormBaseAPI>
  <args>
    <database>
      <acedb>
        host = localhost
        port = {acedb_port}
      </acedb>
      <mysql>
        <data_sources>
          EVERY DATABASE
        </data_sources>
      </mysql>
    </database>
  </args>
</Model::WormBaseAPI>
""".replace("EVERY DATABASE", "\n".join(f"{name} = {{mysql:{name}}}" for name in NAMES))
# Pages that are made of all of a node's databases.
_PAGES = ["/version", "/gene/WBGene00000898"]
_CHECKED = {
    # Nobody visits a lab, so a release need not be watched for long.
    "golive": {"watch_seconds": 3.0, "canary_paths": _PAGES},
    "webapp": {"check_paths": _PAGES, "preflight_conf": _PREFLIGHT_CONF},
}
# What a cluster has elsewhere that was there before the project: old/machines.
_OLD = {
    "acedb": {
        "server": "/usr/local/wormbase/acedb/bin/sgifaceserver",
        "tace": "/usr/local/wormbase/acedb/bin/tace",
        "xinetd": "elegans",
    },
    "mysql": {"reader": "webdev"},
    "webapp": {**_CHECKED["webapp"], "user": "webdev", "group": "webdev"},
    "nginx": {"file": ""},
}


def pillar(
    inventory: Inventory,
    subnet: str,
    carrier: Mapping[str, Any],
    announce: Mapping[str, Any],
    old: bool = False,
) -> dict[str, str]:
    """The files of the pillar, name → text: what every node knows, and what only some do."""
    settings = {"nodes": _nodes(inventory, subnet), **_CHECKED, **(_OLD if old else {})}
    return {
        "site.sls": _text(settings),
        "carrier.sls": _text({"carrier": carrier}),
        "announce.sls": _text(announce),
    }


def _text(settings: Mapping[str, Any]) -> str:
    # JSON is YAML, and the first line keeps Jinja away from it.
    return "#!yaml\n" + json.dumps({"wormbase": settings}, indent=2) + "\n"


def _nodes(inventory: Inventory, subnet: str) -> dict[str, Any]:
    """Addresses, sites and roles."""
    return {
        host.name: {
            "address": inventory.address(subnet, host.name),
            "site": host.site,
            "roles": list(host.roles),
        }
        for host in inventory.hosts
    }


def known_secrets(place: Place) -> dict[str, Any]:
    """Passwords and keys of this lab, made when first asked for."""
    record = place.state / "secrets.json"
    if not record.exists():
        made = {
            "carrier": _key_pair("wbcarrier"),
            "webdev": _key_pair("webdev"),
            "mail": secrets.token_hex(12),
            "blog": secrets.token_hex(12),
        }
        record.touch(mode=0o600)
        record.write_text(json.dumps(made, indent=2))
    known: dict[str, Any] = json.loads(record.read_text())
    return known


def _key_pair(owner: str) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        private = Path(folder, "key")
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", owner, "-f", private)
        public = private.with_suffix(".pub").read_text().strip()
        return {"private_key": private.read_text(), "public_key": public}
