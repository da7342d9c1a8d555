"""A real HAProxy with the project's configuration on loopback, web nodes behind it, clients."""

import contextlib
import http.client
import http.server
import json
import shutil
import signal
import socket
import subprocess
import tempfile
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


def wait_until(done, seconds=10):
    """Return as soon as something is so."""
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until
        time.sleep(0.02)


@contextlib.contextmanager
def short_folder():
    """A directory for everybody: the name of a socket has at most 97 characters, and those of
    pytest's own directories are long."""
    with tempfile.TemporaryDirectory(prefix="wb-proxy-") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@dataclass
class WebNode:
    """A web server that answers as the webapp of a node does, and as its report; with status 0
    it takes a request and does not answer."""

    address: str
    ports: list
    serves: dict
    delay: float = 0.0
    status: int = 200
    asked: int = 0
    servers: list = field(default_factory=list)

    def __post_init__(self):
        node = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = json.dumps(node.serves).encode()
                node.asked += 1
                time.sleep(node.delay)
                if not node.status:
                    return
                self.send_response(node.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

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
    """Eight clients that ask without pause and keep their connections, as browsers do.

    connect
        What opens a connection, if it is not plain HTTP to a port of this machine.
    """

    def __init__(self, port, path="/", count=8, connect=http.client.HTTPConnection):
        self.port, self.path, self.connect = port, path, connect
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
        connection = self.connect("127.0.0.1", self.port, timeout=20)
        while not self._stop.is_set():
            self.answers.append(ask(connection, self.path))
        connection.close()

    @property
    def statuses(self):
        """Every status that was answered; 0 where there was no answer."""
        return {status for _, _, status, _, _ in self.answers}

    def wait_for(self, release, since):
        """Return once somebody had an answer of a release after the answer ``since``."""
        wait_until(lambda: any(answer[3] == release for answer in self.answers[since:]))

    def stale(self, old, new, since=0):
        """Old answers to requests begun after somebody had a new one, from the answer ``since``."""
        answers = self.answers[since:]
        first = min(ended for _, ended, _, release, _ in answers if release == new)
        return sum(1 for begun, _, _, release, _ in answers if release == old and begun > first)


def get(port, path="/"):
    """One answer over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        return ask(connection, path)
    finally:
        connection.close()


def ask(connection, path):
    """One answer: when begun, when ended, status, release, Retry-After."""
    begun = time.monotonic()
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        release = json.loads(body)["release"] if response.status == 200 else None
        return begun, time.monotonic(), response.status, release, response.getheader("Retry-After")
    except (OSError, http.client.HTTPException) as error:
        connection.close()
        return begun, time.monotonic(), 0, repr(error), None


class ProxySite:
    """The proxy of a site, in a scratch directory, as its states lay it out.

    report_port
        Where a real report answers on the addresses of all web nodes.
    """

    def __init__(self, root, load, report_port=None):
        self.root = root
        self.port = free_port()
        web_port = free_port("127.0.0.11")
        ports = [web_port] if report_port else [web_port, free_port("127.0.0.11")]
        roles = {"roles": ["web"], "site": "local"}
        self.pillar = {
            "nodes": {n: {**roles, "address": a} for n, a in ADDRESSES.items()},
            "haproxy": {"port": self.port},
            "webapp": {"port": web_port},
            "report": {"port": report_port or ports[1]},
        }
        self.web = {n: WebNode(a, ports, answer(OLD)) for n, a in ADDRESSES.items()}
        self.salt = load(root.name, self.pillar)
        self.paths = self.salt["wb_settings.read"]()["paths"]

    def start(self):
        """Lay out what the states lay out, and start HAProxy and the keeper."""
        self.salt["wb_proxy.prepare"]()
        programs = self.root / "usr/local/lib/wormbase-release"
        shutil.copytree(CHECKOUT / "salt/_utils/wbcore", programs / "wbcore")
        (programs / "wbnode").mkdir()
        for name in ("__init__.py", "proxy.py", "haproxy.py"):
            shutil.copy(CHECKOUT / "salt/_utils/wbnode" / name, programs / "wbnode")
        for name, place in (("keeper.py", programs), ("maintenance.html", self.paths["proxy"])):
            shutil.copy(CHECKOUT / "salt/states/proxy" / name, place)
        self.root.chmod(0o755)
        template = (CHECKOUT / "salt/states/proxy/haproxy.cfg").read_text(encoding="utf-8")
        text = jinja2.Template(template).render(salt=self.salt)
        Path(self.paths["proxy"], "haproxy.cfg").write_text(text + "\n", encoding="utf-8")
        Path(self.paths["haproxy"]).mkdir(parents=True)
        self.start_haproxy()
        self.start_keeper()

    def start_haproxy(self):
        """What its service does, but that nobody starts it again."""
        names = ("haproxy.cfg", "pool_a.cfg", "pool_b.cfg")
        files = [word for name in names for word in ("-f", f"{self.paths['proxy']}/{name}")]
        master = f"{self.paths['haproxy']}/master.sock,mode,600"
        self.haproxy = subprocess.Popen(["haproxy", "-W", *files, "-S", master])
        while get(self.port)[2] == 0:
            assert self.haproxy.poll() is None
            time.sleep(0.02)

    def reload_haproxy(self):
        """What its service does."""
        self.haproxy.send_signal(signal.SIGUSR2)

    def kill_haproxy(self):
        """kill -9; its worker ends with it."""
        self.haproxy.kill()
        self.haproxy.wait()

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
        """End HAProxy, the keeper and the web nodes."""
        self.salt["wb_proxy.open"]()
        self.kill_keeper()
        self.haproxy.terminate()
        self.haproxy.wait()
        for node in self.web.values():
            node.stop()
