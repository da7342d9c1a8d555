"""Real servers to announce to: exim and WordPress, configured as the lab's are."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from lab.services.setup import FILES

PASSWORD = "c0ffee"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Return when something listens on the port; the server must live meanwhile."""
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert server.poll() is None, f"{server.args} has ended"
        time.sleep(0.02)


@dataclass
class MailServer:
    """exim with a Maildir in a directory that its own user can reach."""

    home: Path
    port: int = field(default_factory=free_port)
    server: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        certificate, key = self.home / "crt", self.home / "key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", "/CN=localhost",
             "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )  # fmt: skip
        template = Template((FILES / "exim4.conf").read_text())
        text = template.safe_substitute(
            host="localhost", maildir=self.home / "mail", user="releases", password=PASSWORD,
            certificate=certificate, key=key,
        )  # fmt: skip
        own = f"spool_directory = {self.home}/spool\nlog_file_path = {self.home}/%slog\n"
        (self.home / "conf").write_text(own + text)
        for folder in ("spool", "mail"):
            (self.home / folder).mkdir()
        for path in (self.home, *self.home.iterdir()):
            shutil.chown(path, "Debian-exim", "Debian-exim")
        shutil.chown(self.home / "conf", "root", "root")

    def start(self) -> None:
        self.server = subprocess.Popen(
            ["/usr/sbin/exim4", "-C", self.home / "conf", "-bdf", "-q1s",
             "-oX", f"127.0.0.1.{self.port}", "-oP", self.home / "pid"],
        )  # fmt: skip
        wait_for(self.port, self.server)

    def stop(self) -> None:
        if self.server:
            self.server.terminate()
            self.server.wait()
            self.server = None

    def letters(self, count: int) -> list[str]:
        """The letters that came, as soon as there are ``count``, or what came in 20 s."""
        until = time.monotonic() + 20
        while len(found := list((self.home / "mail").glob("new/*"))) < count:
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        return [path.read_text() for path in found]

    def settings(self) -> dict[str, Any]:
        return {
            "host": "localhost",
            "port": self.port,
            "username": "releases",
            "password": PASSWORD,
            "sender": "WormBase <releases@localhost>",
            "recipients": ["announce@localhost", "dev@localhost"],
        }


@dataclass
class Blog:
    """WordPress under PHP's own web server, with a MariaDB of its own."""

    home: Path
    port: int = field(default_factory=free_port)
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.home / "mysql.sock"

    def prepare(self) -> None:
        data, site = self.home / "data", self.home / "site"
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--innodb=OFF",
             "--default-storage-engine=MyISAM", "--user=root", "--skip-test-db"],
            check=True, capture_output=True,
        )  # fmt: skip
        self._run(
            ["mariadbd", "--no-defaults", "--user=root", f"--datadir={data}",
             f"--socket={self.socket}", "--skip-networking", "--innodb=OFF",
             "--default-storage-engine=MyISAM"],
            ready=self.socket,
        )  # fmt: skip
        client = ["mariadb", "--no-defaults", f"--socket={self.socket}"]
        tables = "CREATE DATABASE wordpress; CREATE USER 'www-data'@'localhost';"
        tables += "GRANT ALL ON wordpress.* TO 'www-data'@'localhost'"
        subprocess.run([*client, "-e", tables], check=True)
        shutil.copytree("/usr/share/wordpress", site)
        (site / "wp-config.php").unlink()
        values = {"host": "localhost", "port": str(self.port), "user": "releases"}
        for name in ("wp-config.php", "install.php"):
            text = Template((FILES / name).read_text()).safe_substitute(values)
            (site / name).write_text(text.replace("'localhost'", f"'localhost:{self.socket}'"))
        subprocess.run(["php", site / "install.php"], input=PASSWORD, text=True, check=True)

    def start(self) -> None:
        """Serve it; it answers when this returns."""
        site = self.home / "site"
        self._run(["php", "-S", f"127.0.0.1:{self.port}", "-t", site])
        wait_for(self.port, self.servers[-1])

    def stop(self) -> None:
        """End the web server; the database stays."""
        self._end(self.servers.pop())

    def close(self) -> None:
        while self.servers:
            self._end(self.servers.pop())

    def settings(self) -> dict[str, str]:
        return {
            "url": f"http://127.0.0.1:{self.port}",
            "username": "releases",
            "password": PASSWORD,
        }

    def _run(self, argv: list[str | Path], ready: Path | None = None) -> None:
        quiet = subprocess.DEVNULL
        server = subprocess.Popen(argv, stdout=quiet, stderr=quiet)
        self.servers.append(server)
        while ready and not ready.exists():
            assert server.poll() is None, f"{argv} has ended"
            time.sleep(0.02)

    @staticmethod
    def _end(server: subprocess.Popen[bytes]) -> None:
        server.terminate()
        server.wait()
