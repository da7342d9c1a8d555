"""The nginx that visitors reach: one file in it is the project's, all others are not."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import wbnode.files
import wbnode.minion
from wbcore.errors import StepFailed
from wbcore.model import nginx_site

# Salt gives them to the module.
__opts__: dict[str, Any]
__pillar__: Mapping[str, Any]

__virtualname__ = "wb_nginx"
_WAY_OUT = "change wormbase:nginx in the pillar, or the other site; nothing was changed"


def __virtual__() -> str:
    return __virtualname__


@wbnode.minion.salt_errors
def wanted() -> str:
    """The text of the project's file, by the pillar; empty if the pillar has no file.

    CLI Example:

    .. code-block:: bash

        salt fe wb_nginx.wanted
    """
    settings = wbnode.minion.settings_of(__pillar__)
    return nginx_site.render(settings.nginx, settings.haproxy) if settings.nginx.file else ""


@wbnode.minion.salt_errors
def site() -> str:
    """The text of the project's file as it is; empty if there is none.

    CLI Example:

    .. code-block:: bash

        salt fe wb_nginx.site
    """
    path = _path()
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@wbnode.minion.salt_errors
def place() -> None:
    """Write the project's file, if nginx can serve it beside its other sites; else all stays as it
    is. nginx goes by it after its next reload.

    CLI Example:

    .. code-block:: bash

        salt fe wb_nginx.place
    """
    _refuse_taken_ports()
    path, before = _path(), site()
    wbnode.files.write_whole(path, wanted().encode())
    try:
        _refuse_clash(path)
    except StepFailed:
        if before:
            wbnode.files.write_whole(path, before.encode())
        else:
            path.unlink()
        raise


@wbnode.minion.salt_errors
def passes() -> bool:
    """Whether nginx passes requests to HAProxy, by whichever of its files: only then can a web
    node be taken out of visitors' way.

    CLI Example:

    .. code-block:: bash

        salt fe wb_nginx.passes
    """
    done = subprocess.run(_dump(), capture_output=True, text=True, check=False)
    port = wbnode.minion.settings_of(__pillar__).haproxy.port
    passed = rf"^[^#\n]*(?:127\.0\.0\.1|localhost):{port}\b"
    return bool(re.search(passed, done.stdout, re.MULTILINE))


def _path() -> Path:
    layout, settings = wbnode.minion.layout_of(__opts__), wbnode.minion.settings_of(__pillar__)
    return layout.root / settings.nginx.file.lstrip("/")


def _refuse_taken_ports() -> None:
    """StepFailed if another program has a port of the site: nginx -t does not notice."""
    for port in nginx_site.ports(wbnode.minion.settings_of(__pillar__).nginx):
        sockets = wbnode.minion.command(
            ["ss", "-Hltnp", f"sport = :{port}"], "look at the ports on this node"
        )
        others = [line for line in sockets.splitlines() if '"nginx"' not in line]
        if others:
            raise StepFailed(
                f"port {port} of the site is taken: {' '.join(others[0].split()[3:])}", _WAY_OUT
            )


def _refuse_clash(path: Path) -> None:
    """StepFailed unless nginx accepts all its files, this one among them, and no name twice."""
    done = subprocess.run(_dump(), capture_output=True, text=True, check=False)
    said = done.stderr.strip().splitlines()
    clashes = [line for line in said if done.returncode or "conflicting server name" in line]
    if clashes:
        raise StepFailed(f"nginx refuses {path} and says {clashes[0]!r}", _WAY_OUT)
    if f"# configuration file {path}:" not in done.stdout:
        raise StepFailed(
            f"nginx does not read {path}",
            f"include it in the http block of {_configuration()}, or set wormbase:nginx:file;"
            " Debian's own nginx.conf includes /etc/nginx/conf.d/*.conf",
        )


def _configuration() -> Path:
    return wbnode.minion.layout_of(__opts__).root / "etc/nginx/nginx.conf"


def _dump() -> list[str]:
    """The command that checks all files of nginx, and prints them."""
    return ["nginx", "-T", "-q", "-c", str(_configuration())]
