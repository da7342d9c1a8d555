#!/usr/bin/python3
"""report.py [--root DIR]: tells the proxy over HTTP what this web node serves.

``GET /served`` answers with 200 and the report, or with 503 and an ``error`` where it can not be
learnt. Only the proxy and this node itself are answered. Standard library only: it works while
the minion does not. The service ``wormbase-report`` runs it, ``report.json`` beside it says what
is asked.
"""

import argparse
import json
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from wbcore.layout import Layout
from wbnode.serving import mysql
from wbnode.serving.report import Servers, report

# The longest time for one question to a server of this node. A busy webapp takes seconds for a
# page, and must not leave the pool for it; wb_proxy.reports waits for 10 s.
QUESTION_SECONDS = 5
# A client that sends nothing is not waited for any longer.
CLIENT_SECONDS = 3


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default="/", type=Path, help="root of the node")
    layout = Layout(parser.parse_args().root)
    given = json.loads(layout.report.read_text(encoding="utf-8"))
    servers = Servers(**given["servers"])
    ask = mysql.client(layout.below(servers.mysql_socket), QUESTION_SECONDS)
    fresh = Fresh(lambda: report(layout, servers, ask, QUESTION_SECONDS))
    with Server(("0.0.0.0", given["port"]), given["proxies"], fresh) as server:
        server.serve_forever()


class Fresh:
    """An answer that is never older than the question: of questions that wait while one is being
    answered, all get the next answer."""

    def __init__(self, learn) -> None:
        self._learn, self._lock = learn, threading.Lock()
        self._begun, self._answer = 0.0, {}

    def get(self) -> dict:
        """What is served, learnt after this call began."""
        called = time.monotonic()
        with self._lock:
            if self._begun < called:
                begun = time.monotonic()
                self._answer = self._learn()
                self._begun = begun
            return self._answer


class Server(socketserver.ThreadingTCPServer):
    """A thread for each question."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, proxies, fresh) -> None:
        self.proxies, self.fresh = proxies, fresh
        super().__init__(address, Handler)

    def may_ask(self, address: str) -> bool:
        """Whether the question is this node's or a proxy's, whose name is looked up each time."""
        return address.startswith("127.") or any(address in _addresses(one) for one in self.proxies)


class Handler(BaseHTTPRequestHandler):
    """One question."""

    timeout = CLIENT_SECONDS
    server_version, sys_version = "wormbase-report", ""

    def do_GET(self) -> None:
        """Answer ``/served``, and nothing else."""
        if not self.server.may_ask(self.client_address[0]):
            asks = self.client_address[0]
            self._answer(403, {"error": f"{asks} is not the proxy, by its address in the pillar"})
        elif self.path != "/served":
            self._answer(404, {"error": "ask for /served"})
        else:
            told = self._learnt()
            self._answer(503 if "error" in told else 200, told)

    def _learnt(self) -> dict:
        try:
            return self.server.fresh.get()
        except Exception as error:
            # Whatever is wrong on this node, the proxy is told, and the next question answered.
            return {"error": f"{type(error).__name__}: {error}"}

    def _answer(self, status: int, told: dict) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        """Say nothing: nginx and the ledger have what matters."""


def _addresses(host: str) -> set[str]:
    """The IPv4 addresses of a host; none if its name is not known now."""
    try:
        return {one[4][0] for one in socket.getaddrinfo(host, None, socket.AF_INET)}
    except OSError:
        return set()


if __name__ == "__main__":
    main()
