"""A real nginx with the project's configuration on loopback, web nodes behind it, clients."""

import http.client
import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

CHECKOUT = Path(__file__).resolve().parents[2]
OLD, NEW = "WS220-2010.11.01-0.02-1300", "WS221-2010.12.24-0.02-1350"
ADDRESSES = {"wb-web1": "127.0.0.11", "wb-web2": "127.0.0.12", "wb-mining": "127.0.0.13"}


def free_port(address="127.0.0.1"):
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


@dataclass
class WebNode:
    """A web server that answers as the webapp of a node does, and as its report."""

    address: str
    ports: list
    serves: dict
    delay: float = 0.0
    status: int = 200
    servers: list = field(default_factory=list)

    def __post_init__(self):
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(node.serves).encode()
                time.sleep(node.delay)
                self.send_response(node.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *_):
                """A client that was cut off is what some tests are about."""

        for port in self.ports:
            server = Server((self.address, port), Handler)
            self.servers.append(server)
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def stop(self):
        """End it; connections are refused from now on."""
        for server in self.servers:
            server.shutdown()
            server.server_close()


def answer(release):
    """The report of a node that serves this release; its webapp answers the same."""
    build = release.partition("-")[0]
    return {"release": release, "acedb": build, "mysql": {"c_elegans": build, "clustal": "WS215"}}


class Clients:
    """Eight clients that ask without pause, a new connection each time."""

    def __init__(self, port, path="/", count=8):
        self.port, self.path = port, path
        self.answers = []  # (begun, ended, status, release, Retry-After)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        time.sleep(0.3)
        return self

    def __exit__(self, *_):
        time.sleep(0.3)
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        while not self._stop.is_set():
            self.answers.append(get(self.port, self.path))

    @property
    def statuses(self):
        """Every status that was answered; 0 where there was no answer."""
        return {status for _, _, status, _, _ in self.answers}

    def stale(self, old, new):
        """Old answers to requests begun after somebody had a new one."""
        first = min((ended for _, ended, _, release, _ in self.answers if release == new))
        return sum(
            1 for begun, _, _, release, _ in self.answers if release == old and begun > first
        )


def get(port, path="/"):
    """One answer: when begun, when ended, status, release, Retry-After."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        release = json.loads(body)["release"] if response.status == 200 else None
        return begun, time.monotonic(), response.status, release, response.getheader("Retry-After")
    except OSError as error:
        return begun, time.monotonic(), 0, repr(error), None
    finally:
        connection.close()


class ProxySite:
    """The proxy of a site, in a scratch directory, as its states lay it out.

    report_port
        Where a real report answers on the addresses of all web nodes.
    """

    def __init__(self, root, load, report_port=None):
        self.root = root
        self.port, asking, idle = free_port(), free_port(), free_port()
        web_port = free_port("127.0.0.11")
        ports = [web_port] if report_port else [web_port, free_port("127.0.0.11")]
        roles = {"roles": ["web"], "site": "local"}
        self.pillar = {
            "nodes": {n: {**roles, "address": a} for n, a in ADDRESSES.items()},
            "nginx": {"port": self.port, "asking_port": asking, "idle_port": idle},
            "webapp": {"port": web_port},
            "report": {"port": report_port or ports[1]},
        }
        self.web = {n: WebNode(a, ports, answer(OLD)) for n, a in ADDRESSES.items()}
        for folder in ("run", "etc/nginx", "var/log/nginx"):
            (root / folder).mkdir(parents=True)
        self.salt = load(root.name, self.pillar)
        self.paths = self.salt["wb_settings.read"]()["paths"]

    def start(self):
        """Lay out what the states lay out, and start nginx."""
        self.salt["wb_proxy.prepare"]()
        programs = self.root / "usr/local/lib/wormbase-release"
        shutil.copytree(CHECKOUT / "salt/_utils/wbcore", programs / "wbcore")
        (programs / "wbnode").mkdir()
        for name in ("__init__.py", "proxy.py"):
            shutil.copy(CHECKOUT / "salt/_utils/wbnode" / name, programs / "wbnode")
        for name, place in (("keeper.py", programs), ("maintenance.html", self.paths["proxy"])):
            shutil.copy(CHECKOUT / "salt/states/proxy" / name, place)
        self.root.chmod(0o755)
        template = (CHECKOUT / "salt/states/proxy/nginx.conf").read_text(encoding="utf-8")
        self.conf = self.root / "etc/nginx/nginx.conf"
        text = jinja2.Template(template).render(salt=self.salt)
        self.conf.write_text(text, encoding="utf-8")
        subprocess.run(["nginx", "-c", str(self.conf)], check=True)
        self.start_keeper()

    def start_keeper(self):
        """What its service does."""
        program = self.root / "usr/local/lib/wormbase-release/keeper.py"
        argv = ["/usr/bin/python3", "-B", program, "--root", self.root]
        self.keeper = subprocess.Popen(argv)

    def kill_keeper(self):
        """Nobody starts it again."""
        self.keeper.kill()
        self.keeper.wait()

    def stop(self):
        """End nginx, the keeper and the web nodes."""
        self.salt["wb_proxy.open"]()
        self.kill_keeper()
        os.kill(int((self.root / "run/nginx.pid").read_text()), signal.SIGTERM)
        for node in self.web.values():
            node.stop()
