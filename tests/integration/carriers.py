"""The carrier of every node: a real sshd with the forced rsync, on loopback addresses."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wbcore.layout import Layout
from wbsite import ADDRESSES, eventually

RENDERED = ("authorized_keys", "known_hosts", "rsyncd.conf", "sshd_config")


class Carriers:
    """The running carriers; to be used in a ``with``, which ends them."""

    def __init__(
        self, master: Any, layouts: Mapping[str, Layout], settings: Mapping[str, Any]
    ) -> None:
        self.layouts = layouts
        self._master = master
        self._settings = settings
        self._servers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Carriers:
        Path("/run/sshd").mkdir(exist_ok=True)
        for layout in self.layouts.values():
            layout.carrier.mkdir(parents=True)
        self._render()
        for node, layout in self.layouts.items():
            self._servers.append(_serve(layout, ADDRESSES[node]))
        port = self._settings["port"]
        for address in ADDRESSES.values():
            eventually(f"{address}:{port} answers", lambda to=(address, port): _answers(*to))
        return self

    def __exit__(self, *_: object) -> None:
        for server in self._servers:
            server.terminate()
            server.wait()

    def _render(self) -> None:
        """The files that the state ``carrier.served`` puts there, rendered by each node."""
        salt = self._master.salt_cli()
        for name in RENDERED:
            rendered = salt.run(
                "cp.get_template", f"salt://carrier/{name}", "", minion_tgt="*", _timeout=60
            )
            for node, cached in rendered.data.items():
                (self.layouts[node].carrier / name).write_text(Path(cached).read_text())
        for layout in self.layouts.values():
            for name in ("id", "host_key"):
                key = layout.carrier / name
                key.touch(mode=0o600)
                key.write_text(self._settings["private_key"])


def _serve(layout: Layout, address: str) -> subprocess.Popen[bytes]:
    # What is given here goes before the file: an address, and that the tree may lie in /tmp.
    options = (f"ListenAddress={address}", "StrictModes=no", "PidFile=none")
    return subprocess.Popen(
        [
            *("/usr/sbin/sshd", "-D", "-f", layout.carrier / "sshd_config"),
            *("-E", layout.root / "logs" / "carrier.log"),
            *(f"-o{option}" for option in options),
        ]
    )


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True
