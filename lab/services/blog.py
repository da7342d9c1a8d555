"""WordPress on the development server, under PHP's own web server, in the builders' MariaDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import setup

if TYPE_CHECKING:
    from ..node import Node

HOST = "wb-dev"
PORT = 8080
USER = "releases"
HOME = "/srv/blog"
_RUNS_AS = "www-data"
_DATABASE = f"""
CREATE DATABASE IF NOT EXISTS wordpress;
CREATE USER IF NOT EXISTS '{_RUNS_AS}'@'localhost' IDENTIFIED VIA unix_socket;
GRANT ALL ON wordpress.* TO '{_RUNS_AS}'@'localhost';
"""


def set_up(node: Node, password: str) -> None:
    """Install the blog, with an author who may post by an application password."""
    setup.carry_out(node, "mariadb", stdin=_DATABASE)
    setup.carry_out(node, "rm", "-rf", HOME)
    setup.carry_out(node, "cp", "-rL", "/usr/share/wordpress", HOME)
    setup.carry_out(node, "rm", f"{HOME}/wp-config.php")
    setup.lay(node, "wp-config.php", f"{HOME}/wp-config.php", host=HOST, port=str(PORT))
    setup.lay(node, "install.php", f"{HOME}/install.php", user=USER, host=HOST)
    install = ("setpriv", f"--reuid={_RUNS_AS}", f"--regid={_RUNS_AS}", "--init-groups")
    setup.carry_out(node, *install, "php", f"{HOME}/install.php", stdin=password)
    setup.carry_out(node, "rm", f"{HOME}/install.php")
    setup.lay(
        node, "blog.service", "/etc/systemd/system/blog.service",
        home=HOME, user=_RUNS_AS, listen=f"0.0.0.0:{PORT}",
    )  # fmt: skip
    setup.start(node, "blog")


def settings(password: str) -> dict[str, Any]:
    """The pillar's ``wormbase:blog``."""
    return {"url": f"http://{HOST}:{PORT}", "username": USER, "password": password}
