"""A real MariaDB for tests, in a scratch node's own directories."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from wbcore.layout import Layout

Sql = Callable[..., tuple[list[str], str]]


@contextmanager
def mariadb(layout: Layout, functions: Any, *options: str, by: str = "root") -> Iterator[Sql]:
    """A server, with options of its own, over the data directory of a node; runs SQL, as its
    administrator unless told otherwise (a user of the server, who may be asked for a password,
    at the hands of a user of this machine), and gives the rows and what it complained of.

    by
        The user of this machine as whom it runs, who owns the data directory then and can write
        what its owner can write alone.
    """
    data = layout.kind("mysql")
    layout.mysql_socket.parent.mkdir(parents=True)
    data.mkdir(parents=True, exist_ok=True)
    assert functions["wb_mysql.initialise"]() is True
    argv = ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={layout.mysql_socket}"]
    argv += [f"--user={by}", "--innodb=OFF", "--skip-networking", "--ignore-db-dirs=.incoming"]
    argv += ["--default-storage-engine=MyISAM", f"--pid-file={layout.root / 'pid'}", *options]
    if by != "root":
        subprocess.run(["chown", "-R", f"{by}:", data, layout.root / "run"], check=True)
        layout.root.chmod(0o777)
    process = subprocess.Popen([*_hands(by, "+dac_read_search"), *argv], stderr=subprocess.DEVNULL)

    def sql(
        statement: str, user: str = "root", by: str = "root", password: str = ""
    ) -> tuple[list[str], str]:
        client = ["mariadb", "--no-defaults", f"--socket={layout.mysql_socket}", f"--user={user}"]
        done = subprocess.run(
            [*_hands(by), *client, "-BN"],
            input=statement,
            env={**os.environ, "MYSQL_PWD": password},
            text=True,
            capture_output=True,
            check=False,
        )
        return done.stdout.splitlines(), done.stderr

    # It listens before it heeds the signal that ends it, so it has to answer first.
    until = time.monotonic() + 20
    while sql("SELECT 1")[0] != ["1"] and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield sql
    finally:
        process.terminate()
        process.wait()


def _hands(user: str, able_to: str = "+dac_override") -> list[str]:
    """What runs a command as another user, who may pass the scratch directories of tests."""
    able = [f"--inh-caps={able_to}", f"--ambient-caps={able_to}"]
    return [] if user == "root" else ["setpriv", f"--reuid={user}", "--clear-groups", *able]
