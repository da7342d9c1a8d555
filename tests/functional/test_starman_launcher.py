"""What systemd starts for the live webapp: salt/states/web/starman.sh, with a real Starman."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wbcore.layout import Layout

LAUNCHER = Path(__file__).parents[2] / "salt/states/web/starman.sh"
OLD, NEW = "WS220-2010.11.01-0.02-1300", "WS221-2010.12.24-0.02-1350"
# One that changes the directory, as WormBase's own does.
ENVIRONMENT = 'export FROM="$PWD"\ncd /\n'
PSGI = """
use Cwd;
sub { [200, [], [join "\\n", getcwd, $ENV{FROM}, $ENV{GIVEN}]] };
"""
GIVEN = 'it\'s "$HOME" `id`'


@pytest.fixture
def released(layout: Layout) -> Layout:
    """Two releases, of which the older one is live."""
    for name in (OLD, NEW):
        home = layout.website / name
        for folder in ("script", "bin", "logs"):
            (home / folder).mkdir(parents=True)
        (home / "wormbase.env").write_text(ENVIRONMENT)
        (home / "script/wormbase_psgi.psgi").write_text(PSGI)
    layout.production.symlink_to(OLD)
    layout.starman_release.parent.mkdir(parents=True)
    return layout


@pytest.fixture
def launcher(tmp_path: Path, load: Any) -> Callable[..., Path]:
    """The launcher as the states write it, for settings of the webapp."""

    def render(**webapp: Any) -> Path:
        functions = load("node", {"webapp": webapp})
        text = functions["file.apply_template_on_contents"](
            LAUNCHER.read_text(), "jinja", {"salt": functions}, {}, "base"
        )
        path = tmp_path / "starman.sh"
        path.write_text(text)
        return path

    return render


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    servers: list[subprocess.Popen[bytes]] = []
    yield servers
    for server in servers:
        server.terminate()
        server.wait()


def answered(port: int) -> list[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as answer:
        return list(answer.read().decode().split("\n"))


def test_it_serves_what_is_live_and_follows_the_link_at_a_reload(
    released: Layout,
    launcher: Callable[..., Path],
    port: int,
    started: list[subprocess.Popen[bytes]],
) -> None:
    script = launcher(environment={"GIVEN": GIVEN})
    server = subprocess.Popen(
        ["start_server", f"--port=127.0.0.1:{port}", "--interval=1", "--signal-on-hup=QUIT",
         "--", "bash", script],
    )  # fmt: skip
    started.append(server)
    while not released.starman_release.exists():
        time.sleep(0.05)
    old, new = (str(released.website / name) for name in (OLD, NEW))
    assert answered(port) == [old, old, GIVEN]
    assert released.starman_release.read_text() == f"{old}\n"

    released.production.unlink()
    released.production.symlink_to(NEW)
    assert answered(port)[0] == old
    server.send_signal(signal.SIGHUP)
    until = time.monotonic() + 30
    while (told := answered(port)) != [new, new, GIVEN]:
        assert time.monotonic() < until, told
        time.sleep(0.1)
    assert released.starman_release.read_text() == f"{new}\n"


def test_the_webapp_s_own_script_is_run_in_the_release(
    released: Layout, launcher: Callable[..., Path]
) -> None:
    own = released.website / OLD / "own.sh"
    own.write_text('#!/bin/sh\necho "$PWD $FROM $GIVEN $1"\n')
    own.chmod(0o755)
    script = launcher(start_script="own.sh", environment={"GIVEN": "x"})
    done = subprocess.run(["bash", script], capture_output=True, text=True, check=True)
    home = released.website / OLD
    assert done.stdout == f"{home} {home} x start\n"


def test_nothing_is_started_while_nothing_is_live(
    released: Layout, launcher: Callable[..., Path]
) -> None:
    released.production.unlink()
    done = subprocess.run(["bash", launcher()], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and done.stdout == ""
