"""vsftpd on the development server: the download tree, for anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import setup

if TYPE_CHECKING:
    from ..node import Node

HOME = "/usr/local/ftp"


def set_up(node: Node) -> None:
    """Serve the tree by anonymous FTP, for reading only."""
    setup.carry_out(node, "install", "-d", "-m", "755", HOME, f"{HOME}/pub")
    setup.lay(node, "vsftpd.conf", "/etc/vsftpd.conf", home=HOME)
    setup.start(node, "vsftpd")
