"""What else runs on the development server: mail, the blog, and the FTP tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..site import known_secrets
from . import blog, ftp, mail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..cluster import Cluster


def set_up(cluster: Cluster) -> None:
    """Set all of them up on wb-dev, started now and at every boot."""
    node, known = cluster.node("wb-dev"), known_secrets(cluster.place)
    mail.set_up(node, known["mail"])
    blog.set_up(node, known["blog"])
    ftp.set_up(node)


def settings(known: Mapping[str, Any]) -> dict[str, Any]:
    """What the site's pillar says about them, from this lab's passwords."""
    return {"mail": mail.settings(known["mail"]), "blog": blog.settings(known["blog"])}
