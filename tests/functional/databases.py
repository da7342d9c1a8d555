"""A real MariaDB for tests, in a scratch node's own directories."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wbcore.layout import Layout
from wbcore.settings import MySQL

Sql = Callable[..., tuple[list[str], str]]

# A site that has no use for InnoDB, and whose server is quick to start.
SMALL = "innodb = OFF\ndefault-storage-engine = MyISAM\nskip-networking\n"


def socket_of(layout: Layout) -> Path:
    """Where the MySQL server of a node listens."""
    return layout.below(MySQL().socket)


def configure(layout: Layout, text: str = SMALL) -> Path:
    """Write a node's own configuration of the server, which includes a folder for other files;
    returns that folder."""
    file = layout.below("/etc/mysql/my.cnf")
    folder = file.with_name("mariadb.conf.d")
    folder.mkdir(parents=True)
    socket_of(layout).parent.mkdir(parents=True, exist_ok=True)
    file.write_text(
        f"[mariadbd]\nuser = root\nsocket = {socket_of(layout)}\n"
        # Another server that starts removes what it finds of temporary tables in /tmp.
        f"tmpdir = {socket_of(layout).parent}\npid-file = {layout.root / 'pid'}\n"
        f"{text}\n!includedir {folder}\n"
    )
    return folder


def start(layout: Layout, by: str = "root") -> subprocess.Popen[bytes]:
    """Start the server of a node as its configuration says, at the hands of a user."""
    file = layout.below("/etc/mysql/my.cnf")
    return subprocess.Popen(
        [*_hands(by, "+dac_read_search"), "mariadbd", f"--defaults-file={file}"],
        stderr=(layout.root / "mariadb.log").open("ab"),
    )


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
    data.mkdir(parents=True, exist_ok=True)
    own = "".join(f"{option.removeprefix('--')}\n" for option in options)
    configure(layout, f"datadir = {data}\nignore-db-dirs = .incoming\n{SMALL}{own}")
    assert functions["wb_mysql.initialise"]() is True
    if by != "root":
        file = layout.below("/etc/mysql/my.cnf")
        file.write_text(file.read_text().replace("user = root", f"user = {by}"))
        subprocess.run(["chown", "-R", f"{by}:", data, layout.root / "run"], check=True)
        layout.root.chmod(0o777)
    process, sql = start(layout, by), client(layout)
    wait_until_it_answers(sql)
    try:
        yield sql
    finally:
        process.terminate()
        process.wait()


def wait_until_it_answers(sql: Sql) -> None:
    """A server listens before it heeds the signal that ends it."""
    until = time.monotonic() + 20
    while sql("SELECT 1")[0] != ["1"] and time.monotonic() < until:
        time.sleep(0.02)


def client(layout: Layout) -> Sql:
    """Runs SQL at the server of a node, see :func:`mariadb`."""

    def sql(
        statement: str, user: str = "root", by: str = "root", password: str = ""
    ) -> tuple[list[str], str]:
        client = ["mariadb", "--no-defaults", f"--socket={socket_of(layout)}", f"--user={user}"]
        done = subprocess.run(
            [*_hands(by), *client, "-BN"],
            input=statement,
            env={**os.environ, "MYSQL_PWD": password},
            text=True,
            capture_output=True,
            check=False,
        )
        return done.stdout.splitlines(), done.stderr

    return sql


@contextmanager
def readers(layout: Layout, statement: str, count: int = 4) -> Iterator[list[str]]:
    """Connections that run a statement again and again; gives what they are refused."""
    refused: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            refused.extend(client(layout)(f"{statement};\n" * 50)[1].splitlines())

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield refused
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _hands(user: str, able_to: str = "+dac_override") -> list[str]:
    """What runs a command as another user, who may pass the scratch directories of tests."""
    able = [f"--inh-caps={able_to}", f"--ambient-caps={able_to}"]
    return [] if user == "root" else ["setpriv", f"--reuid={user}", "--clear-groups", *able]
