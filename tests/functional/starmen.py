"""A real Starman for tests, started from the directory of a release."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

# Works in its own directory, as many a webapp does once it is loaded, and answers with its name.
APP = """
use File::Basename qw(basename dirname);
use Cwd qw(realpath);
my $home = dirname(realpath(__FILE__));
chdir $home if -e "$home/at-home";
my $name = basename($home);
sub {
    my $path = shift->{PATH_INFO};
    sleep 2 if $path eq '/slow';
    my $status = $path eq '/broken' ? 500 : $path =~ m{^/(slow|version)?$} ? 200 : 404;
    my $body = "<html>$name</html>";
    if ($path eq '/version' && open my $page, '<', "$home/version.json") { $body = <$page> }
    return [$status, ['Content-Type' => 'text/html'], [$body]];
};
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def make_release(place: Path, at_home: bool = False) -> Path:
    """The directory of a webapp."""
    place.mkdir(parents=True)
    (place / "app.psgi").write_text(APP)
    if at_home:
        (place / "at-home").touch()
    return place


@contextmanager
def starman(
    app: Path, port: int, place: Path, before: Sequence[str] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    """Two workers that serve an app, started from a working directory; it answers already.

    before
        The words of a program that starts Starman, and gives it the port.
    """
    listen = [] if before else [f"--listen=127.0.0.1:{port}"]
    argv = [*before, "starman", "--workers=2", "--preload-app", *listen, str(app)]
    server = subprocess.Popen(argv, cwd=place, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until(lambda: get(port) == 200)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def get(port: int, path: str = "/", address: str = "127.0.0.1") -> int:
    """The status of a page; 0 for no answer."""
    connection = http.client.HTTPConnection(address, port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_until(condition, seconds: float = 20) -> None:
    """Wait for something that happens soon."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.02)
