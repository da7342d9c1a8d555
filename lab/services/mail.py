"""exim on the development server: STARTTLS, a password, every letter into one Maildir."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import setup

if TYPE_CHECKING:
    from ..node import Node

HOST = "wb-dev"
PORT = 25
USER = "releases"
MAILDIR = "/var/mail/everybody"
_CERTIFICATE = "/etc/exim4/lab.crt"
_KEY = "/etc/exim4/lab.key"
# Where update-ca-certificates looks for what a site trusts besides the public authorities.
_TRUSTED = "/usr/local/share/ca-certificates/wb-dev.crt"


def set_up(node: Node, password: str) -> None:
    """Configure and start exim; the node trusts its certificate from then on."""
    setup.carry_out(
        node, "openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "3650",
        "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}",
        "-keyout", _KEY, "-out", _CERTIFICATE,
    )  # fmt: skip
    setup.carry_out(node, "chown", "root:Debian-exim", _KEY)
    setup.carry_out(node, "chmod", "640", _KEY)
    setup.carry_out(node, "install", "-D", "-m", "644", _CERTIFICATE, _TRUSTED)
    setup.carry_out(node, "update-ca-certificates")
    setup.carry_out(node, "install", "-d", "-o", "Debian-exim", "-g", "Debian-exim", MAILDIR)
    setup.lay(
        node, "exim4.conf", "/etc/exim4/exim4.conf", 0o640, host=HOST, maildir=MAILDIR,
        user=USER, password=password, certificate=_CERTIFICATE, key=_KEY,
    )  # fmt: skip
    setup.carry_out(node, "chown", "root:Debian-exim", "/etc/exim4/exim4.conf")
    setup.start(node, "exim4")


def settings(password: str) -> dict[str, Any]:
    """The pillar's ``wormbase:mail``."""
    return {
        "host": HOST,
        "port": PORT,
        "starttls": True,
        "username": USER,
        "password": password,
        "sender": f"WormBase releases <releases@{HOST}>",
        "recipients": [f"announce@{HOST}", f"dev@{HOST}"],
    }
