"""The service: settings, pages and bus put together, behind TLS."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import cherrypy
import salt.config
from wbcore.errors import BadRequest, ReleaseError
from wbcore.layout import Layout
from wbmaster.lock import RunLock
from wbmaster.nodes.bus import Bus

from .config import WHERE, Config
from .ledger import ReadLedger
from .live import Live
from .master import Master
from .pages import Pages
from .sessions import Sessions
from .site import Site

# Beside the pages that follow a run.
_THREADS = 12
_BODY_BYTES = 64 * 1024
HEADERS = [
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("Cache-Control", "no-store"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
]


def secured(application: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """An application of which every answer, an error too, tells browsers what it may not do."""

    def answering(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        def begin(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            kept = [one for one in headers if one[0].lower() not in ("server", "cache-control")]
            return start(status, [*kept, *HEADERS], *more)

        return application(environ, begin)

    return answering


def build(opts: dict[str, Any]) -> tuple[Site, Live, Config]:
    """The pages, and what follows the bus, of a master's configuration."""
    config = Config.parse(opts.get("wormbase_board") or {})
    layout = Layout(Path(opts.get("root_dir") or "/"))
    live = Live(Bus(opts), opts["sock_dir"])
    pages = Pages(ReadLedger(layout.ledger), RunLock(layout.lock), live)
    sessions = Sessions(config.idle_minutes * 60, config.hours * 3600)
    return Site(pages, Master(opts), sessions, live, config.streams), live, config


def serve(opts: dict[str, Any]) -> None:
    """Serve until the process is told to end."""
    site, live, config = build(opts)
    certificate, key = (_file(config, name) for name in ("certificate", "key"))
    cherrypy.config.update(
        {
            "environment": "production",
            "server.socket_host": config.address,
            "server.socket_port": config.port,
            "server.thread_pool": config.streams + _THREADS,
            "server.max_request_body_size": _BODY_BYTES,
            "server.ssl_module": "builtin",
            "server.ssl_certificate": certificate,
            "server.ssl_private_key": key,
            "server.shutdown_timeout": 1,
            "log.screen": True,
        }
    )
    mounted = cherrypy.tree.mount(site, "/", site.settings())
    for log in (cherrypy.log, mounted.log):
        # Who looked at what is nobody's business; what was done is in the ledger.
        log.access_log.handlers = []
    mounted.wsgiapp.pipeline.append(("secured", secured))
    live.start()
    cherrypy.engine.signal_handler.subscribe()
    cherrypy.engine.subscribe("stop", live.stop, priority=10)
    cherrypy.engine.start()
    cherrypy.engine.block()


def _file(config: Config, name: str) -> str:
    """A PEM file that the configuration names."""
    path = str(getattr(config, name))
    if not os.access(path, os.R_OK):
        raise BadRequest(
            f"the {name} {path} can not be read",
            f"name a PEM file as {name} of {WHERE}, or run bin/install again",
        )
    return path


def main(words: Sequence[str]) -> int:
    """``bin/board``; its exit code."""
    path = words[0] if words else "/etc/salt/master"
    try:
        serve(salt.config.client_config(path))
    except ReleaseError as error:
        print(f"bin/board: {error}", file=sys.stderr)
        return 1
    return 0
