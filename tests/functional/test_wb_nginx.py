"""The project's one file in a real nginx with another site, and clients that keep connections."""

import http.client
import os
import socket
import ssl
import subprocess
from typing import ClassVar

import pytest
from proxysite import NEW, OLD, Clients, ProxySite, answer, free_port, short_folder, wait_until

MAIN = """
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{}}
http {{
    access_log off;
    include {root}/etc/nginx/conf.d/*.conf;
    include {root}/etc/nginx/sites-enabled/*;
}}
"""
OTHER = "server {{ listen {port} default_server; server_name other.example _; return 204; }}\n"
ALL = ["wb-web1", "wb-web2", "wb-mining"]


class TLS(http.client.HTTPSConnection):
    """A connection that tells how many times one was opened."""

    opened: ClassVar[list] = []

    def __init__(self, *given, **named):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        super().__init__(*given, **named, context=context)

    def connect(self):
        super().connect()
        self.opened.append(self)


class Nginx:
    """A site behind an nginx of its own, which another site is served by, too."""

    def __init__(self, root, load):
        self.site = ProxySite(root / "fe", load)
        self.root, self.load = self.site.root, load
        self.settings = self.site.pillar["nginx"] = {"port": free_port()}
        for folder in ("conf.d", "sites-enabled"):
            (self.root / "etc/nginx" / folder).mkdir(parents=True)
        self.main = self.root / "etc/nginx/nginx.conf"
        self.main.write_text(MAIN.format(root=self.root))
        self.file = self.root / "etc/nginx/conf.d/wormbase.conf"
        other = self.root / "etc/nginx/sites-enabled/other"
        other.write_text(OTHER.format(port=self.settings["port"]))
        self.nginx = subprocess.Popen(["nginx", "-c", self.main, "-g", "daemon off;"])

    @property
    def salt(self):
        """The functions of the proxy, by the pillar as it is now."""
        return self.load(self.root.name, self.site.pillar)

    def reload(self):
        """What the service does; returns once the site is served, and by new workers alone."""
        before = self._workers()
        subprocess.run(["nginx", "-c", self.main, "-s", "reload"], check=True)
        wait_until(lambda: not before & self._workers())
        port = self.settings.get("tls_port", self.settings["port"])
        scheme = "https" if "tls_port" in self.settings else "http"
        wait_until(lambda: status(port, "localhost", scheme) in ("200 1.1", "200 2", "502 1.1"))

    def _workers(self):
        argv = ["pgrep", "--parent", str(self.nginx.pid)]
        return set(subprocess.run(argv, capture_output=True, check=False).stdout.split())

    def stop(self):
        self.nginx.terminate()
        self.nginx.wait()


@pytest.fixture
def tmp_path():
    with short_folder() as folder:
        yield folder


@pytest.fixture
def nginx(tmp_path, load):
    made = Nginx(tmp_path, load)
    yield made
    made.stop()


@pytest.fixture
def serving(nginx):
    """TLS and HTTP/2 with the site's own names, and all nodes in the pool."""
    key, certificate = nginx.root / "key.pem", nginx.root / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    tls = {"certificate": str(certificate), "key": str(key), "tls_port": free_port()}
    nginx.settings.update(tls, names=["localhost", "127.0.0.1"])
    nginx.site.start()
    nginx.site.salt["wb_proxy.set_pool"]("a", ALL)
    nginx.salt["wb_nginx.place"]()
    nginx.reload()
    yield nginx
    nginx.site.stop()


def status(port, host, scheme="http", *options):
    """The status and the version of HTTP of a page of a host."""
    words = ["curl", "-ksS", "-o", "/dev/null", "-w", "%{http_code} %{http_version}", *options]
    url = f"{scheme}://{host}:{port}/"
    resolve = ["--resolve", f"{host}:{port}:127.0.0.1"]
    done = subprocess.run([*words, *resolve, url], capture_output=True, text=True, check=False)
    return done.stdout


def test_it_is_known_whether_visitors_come_through_haproxy(nginx):
    port = nginx.salt["wb_settings.read"]()["haproxy"]["port"]
    other = nginx.root / "etc/nginx/sites-enabled/other"
    site = "server {{ listen {}; location / {{ {} }} }}\n"
    for line, passes in (
        ("proxy_pass http://10.0.0.11:5000;", False),
        (f"# proxy_pass http://127.0.0.1:{port};", False),
        (f"proxy_pass http://127.0.0.1:{port}1;", False),
        (f"proxy_pass http://127.0.0.1:{port};", True),
        (f"proxy_pass http://localhost:{port}/;", True),
    ):
        other.write_text(site.format(nginx.settings["port"], f"\n{line}\n"))
        assert nginx.salt["wb_nginx.passes"]() is passes, line


def test_clients_keep_their_connections_through_everything(serving):
    proxy, web = serving.site.salt, serving.site.web
    TLS.opened.clear()
    with Clients(serving.settings["tls_port"], connect=TLS) as clients:
        moves = ((OLD, NEW, "a", "b", "wb-web2"), (NEW, OLD, "b", "a", "wb-web1"))
        for before, release, old, new, half in moves:
            proxy["wb_proxy.set_pool"](old, [node for node in ALL if node != half])
            web[half].serves = answer(release)
            proxy["wb_proxy.set_pool"](new, [half])
            since = len(clients.answers)
            proxy["wb_proxy.change_over"](new)
            clients.wait_for(release, since)
            proxy["wb_proxy.set_pool"](old, [])
            for node in web.values():
                node.serves = answer(release)
            proxy["wb_proxy.set_pool"](new, ALL)
            assert clients.stale(before, release, since) == 0
            assert clients.answers[-1][3] == release
        assert clients.statuses == {200}
        since = len(clients.answers)
        proxy["wb_proxy.maintain"](OLD, 20, 5)
        clients.wait_for(None, since)
        proxy["wb_proxy.open"]()
    assert clients.statuses == {200, 503}
    assert len(TLS.opened) == 8


def test_http2_is_spoken_and_the_other_site_stays(serving):
    port, tls_port = serving.settings["port"], serving.settings["tls_port"]
    assert status(tls_port, "localhost", "https", "--http2") == "200 2"
    assert status(port, "localhost") == "200 1.1"
    assert status(port, "other.example") == "204 1.1"
    assert status(port, "unknown.example") == "204 1.1"


def test_a_site_without_names_has_all_names_that_no_other_site_has(nginx):
    nginx.salt["wb_nginx.place"]()
    nginx.reload()
    # Nobody is behind it.
    assert status(nginx.settings["port"], "unknown.example") == "502 1.1"
    assert status(nginx.settings["port"], "other.example") == "204 1.1"


def test_a_clash_is_a_sentence_and_changes_nothing(nginx):
    nginx.salt["wb_nginx.place"]()
    before = nginx.file.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for wrong, sentence in (
            ({"names": ["other.example"]}, "conflicting server name .other.example"),
            ({"lines": ["nonsense;"]}, "unknown directive .nonsense"),
            ({"lines": ["listen 127.0.0.1:1 default_server", "x;"]}, "nginx refuses"),
            ({"port": taken.getsockname()[1]}, f"port .* is taken: .*pid={os.getpid()},"),
        ):
            usual = dict(nginx.settings)
            nginx.settings.update(wrong)
            with pytest.raises(Exception, match=sentence):
                nginx.salt["wb_nginx.place"]()
            nginx.settings.clear()
            nginx.settings.update(usual)
            assert nginx.file.read_text() == before


def test_a_file_that_nginx_does_not_read_is_not_left(nginx):
    nginx.main.write_text(nginx.main.read_text().replace("conf.d", "elsewhere"))
    with pytest.raises(Exception, match="nginx does not read"):
        nginx.salt["wb_nginx.place"]()
    assert not nginx.file.exists()
    nginx.settings["file"] = ""
    assert nginx.salt["wb_nginx.wanted"]() == nginx.salt["wb_nginx.site"]() == ""
