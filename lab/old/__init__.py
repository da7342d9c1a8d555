"""A cluster as the old scripts left it: WS220 serves, and nothing of the project is there.

All of it is plain shell (source: docs/field.md, "What the old scripts did"). ``machines/`` has
what the administrator set up on each machine, ``admin/`` what the release engineers ran on wb-dev.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .. import webapp
from ..builds import STAGING
from ..command import LabError
from ..inventory import Host
from ..services.setup import carry_out
from ..site import known_secrets
from ..webapp.checkout import STAGING as CHECKOUT

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..node import Node

HERE = Path(__file__).resolve().parent
USER = "webdev"
HOME = f"/home/{USER}"
ADMIN = f"{HOME}/admin/update/production"
# The day on which its first release went live, long ago.
DAY = "2010.12.21"
_BY_ROLE = {
    "acedb": ("acedb.sh",),
    "mysql": ("mysql.sh",),
    "staging": ("mysql.sh", "staging.sh"),
    "proxy": ("proxy.sh",),
}
_BY_NAME = {"wb-web1": ("curation.sh",)}
_SCRIPTS = (
    "cron_rsync_acedb.sh",
    "cron_rsync_mysql_dbs.sh",
    "cron_rsync_support_dbs.sh",
    "deploy_wormbase_app.sh",
    "go_live.sh",
)


def set_up(cluster: Cluster) -> None:
    """Set up every machine but the master, which has nothing but Salt."""
    hosts = [host for host in cluster.inventory.hosts if host.roles]
    key = known_secrets(cluster.place)["webdev"]
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda host: _set_up(cluster.node(host.name), host, key), hosts))


def check_out(cluster: Cluster) -> None:
    """The webapp's checkout, which belongs to who makes the releases."""
    webapp.check_out(cluster)
    carry_out(cluster.node(STAGING), "chown", "-R", f"{USER}:{USER}", CHECKOUT)


def release(cluster: Cluster, build: str) -> None:
    """Release a staged build by the old scripts; LabError unless every web node serves it."""
    _lay_admin(cluster)
    for script in _SCRIPTS:
        _run(cluster.node(STAGING), f"DATE={DAY} {ADMIN}/{script} {build}")
    for node in _web_nodes(cluster, cluster.nodes):
        page = carry_out(node, "curl", "-sS", "-m", "30", "http://localhost:5000/version")
        if f'"acedb":"{build}"' not in page:
            raise LabError(f"{node.name} does not serve {build}: {page.strip()}")
    # Only now: whoever does it again announces it again.
    _run(cluster.node(STAGING), f"{ADMIN}/announce.sh {build}")


def start_webapp(cluster: Cluster, names: Iterable[str]) -> None:
    """Start Starman by hand on those of the nodes where it runs only by hand, and does not."""
    for node in _web_nodes(cluster, names):
        carry_out(node, "sh", "-c", "[ ! -x /root/starman.sh ] || /root/starman.sh")


def _set_up(node: Node, host: Host, key: Mapping[str, str]) -> None:
    node.write(f"{HOME}/.ssh/id_ed25519", key["private_key"], 0o600)
    node.write(f"{HOME}/.ssh/id_ed25519.pub", f"{key['public_key']}\n")
    if "web" in host.roles:
        _copy(node, "starman.sh")
    for script in _scripts(host):
        _copy(node, script)
        carry_out(node, f"/root/{script}")


def _scripts(host: Host) -> Iterator[str]:
    yield "machine.sh"
    for role in host.roles:
        yield from _BY_ROLE.get(role, ())
    yield from _BY_NAME.get(host.name, ())


def _copy(node: Node, script: str) -> None:
    node.write(f"/root/{script}", (HERE / "machines" / script).read_text(), 0o755)


def _lay_admin(cluster: Cluster) -> None:
    """The module wormbase-admin in webdev's home, and the passwords of mail and blog."""
    node, known = cluster.node(STAGING), known_secrets(cluster.place)
    shutil.copytree(HERE / "admin", node.path(ADMIN), dirs_exist_ok=True)
    words = f"MAIL_PASSWORD={known['mail']}\nBLOG_PASSWORD={known['blog']}\n"
    node.write(f"{HOME}/passwords", words, 0o600)
    carry_out(node, "chown", "-R", f"{USER}:{USER}", HOME)


def _run(node: Node, command: str) -> None:
    """Run a command as webdev; LabError when a script says that a part of it failed."""
    said = carry_out(node, "su", "-", USER, "-c", f"{command} 2>&1")
    # What failed for one node is one line of many, as it was.
    if failed := [line for line in said.splitlines() if " failed" in line]:
        raise LabError(f"{command} on {node.name}: {'; '.join(failed)}")


def _web_nodes(cluster: Cluster, names: Iterable[str]) -> list[Node]:
    """Those of the nodes that serve the web and are up."""
    web = [name for name in names if "web" in cluster.inventory.host(name).roles]
    return [cluster.node(name) for name in web if cluster.node(name).init]
