"""The board of the small site's master, and a browser that obeys as little as an attacker's."""

from __future__ import annotations

import html
import http.client
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pytestshellutils.utils import ports

CHECKOUT = Path(__file__).resolve().parents[2]
PASSWORD = "a password of the tests"
VIEWER_MAY = ["status", "history", "plan", "landings", "drift"]
OPERATOR_MAY = [*VIEWER_MAY, "start", "hold", "unhold", "bad", "good", "accept", "unaccept"]


def board_settings(folder: Path) -> dict[str, Any]:
    """What a master has for the board: people, who may do what, address, and TLS."""
    folder.mkdir()
    people = folder / "people"
    people.write_text("".join(f"{name}:{PASSWORD}\n" for name in ("olga", "vera", "nobody")))
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]
    made += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    return {
        "external_auth": {
            "file": {
                "^filename": str(people),
                "vera": [{"@wb_release": VIEWER_MAY}],
                "olga": [{"@wb_release": OPERATOR_MAY}],
                "nobody": [{"@jobs": ["list_jobs"]}],
            }
        },
        "wormbase_board": {
            "address": "127.0.0.1",
            "port": ports.get_unused_localhost_port(),
            "certificate": str(certificate),
            "key": str(key),
            "streams": 3,
        },
    }


@contextmanager
def running_board(master: Any, folder: Path) -> Iterator[str]:
    """The board as its unit starts it; its address."""
    port = master.config["wormbase_board"]["port"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, CHECKOUT / "bin/board", master.config["conf_file"]],
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(port, process, folder / "log")
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()
            assert process.wait(10) == 0, (folder / "log").read_text()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()
        try:
            Browser(f"127.0.0.1:{port}").get("/login")
        except OSError:
            time.sleep(0.1)
        else:
            return


class Answer:
    """What the board answered."""

    def __init__(self, response: http.client.HTTPResponse, body: str) -> None:
        self.status, self.headers, self.body = response.status, response.headers, body

    @property
    def seal(self) -> str:
        """What the forms of this page bring back."""
        return re.search(r'name="seal" value="(\w+)"', self.body)[1]

    @property
    def text(self) -> str:
        """The page as it is read."""
        return html.unescape(re.sub(r"<[^>]*>", "", self.body))


class Browser:
    """Keeps cookies, and nothing else that a browser does for its user."""

    def __init__(self, board: str) -> None:
        self.board, self.cookies = board, {}

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        given = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", path, urlencode(form), given)

    def log_in(self, name: str, password: str = PASSWORD, **more: str) -> Answer:
        """Fill in the form of the login page."""
        form = {"way": "file", "name": name, "password": password, **more}
        return self.post("/login", {"seal": self.get("/login").seal, **form})

    def stream(self) -> http.client.HTTPResponse:
        """The events of the run at work."""
        connection = self._connection()
        connection.request("GET", "/live", headers={"Cookie": self._cookie()})
        response = connection.getresponse()
        response.connection = connection  # Else it is closed with this function.
        return response

    def _ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        connection = self._connection()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"Cookie": self._cookie(), **named})
        response = connection.getresponse()
        for one in response.headers.get_all("Set-Cookie") or []:
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value
        answer = Answer(response, response.read().decode())
        connection.close()
        return answer

    def _connection(self) -> http.client.HTTPSConnection:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(self.board, context=context, timeout=60)

    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())
