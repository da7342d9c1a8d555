"""The MySQL server of this node: its system tables, its reader, what it serves.

The databases are MyISAM directories, live through symlinks beside them; the server looks at
a link anew when its tables are flushed.
"""

import os
import re
import shutil

import wbnode.minion
from wbcore.datasets import MYSQL
from wbcore.errors import BadRequest
from wbcore.names import build_of_directory

__virtualname__ = "wb_mysql"

_LOOK = "look at MariaDB there: service mariadb status"
_OWN = {"information_schema", "mysql", "performance_schema", "sys"}
_SECONDS = 30


def __virtual__():
    return __virtualname__


@wbnode.minion.told
def flush():
    """Let the server follow the live links: it opens every table anew.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.flush
    """
    _ask("FLUSH TABLES")
    return True


@wbnode.minion.told
def builds():
    """The build of each live database, asked of the running server: ``{database: "WS221"}``.

    A live database is one under its name without a build, with a table ``meta``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.builds
    """
    databases = [
        name
        for name in _ask(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = 'meta'"
        )
        if name not in _OWN and build_of_directory(name) is None
    ]
    if not databases:
        return {}
    each = [
        f"SELECT '{name}', value FROM `{name}`.meta WHERE name = 'build'"
        for name in databases
        if re.fullmatch(r"[A-Za-z0-9_]+", name)
    ]
    return dict(row.split("\t", 1) for row in _ask(" UNION ALL ".join(each)))


@wbnode.minion.told
def has_system_tables():
    """Whether the data directory has what a server needs to start.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.has_system_tables
    """
    return (_data() / "mysql").is_dir()


@wbnode.minion.told
def initialise():
    """Make the system tables of an empty data directory; one that has them stays as it is.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.initialise
    """
    if has_system_tables():
        return False
    data = _data()
    user = wbnode.minion.settings_of(__pillar__).mysql.user
    beside = data / ".incoming" / ".initialising"
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    shutil.chown(beside, user, user)
    wbnode.minion.command(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={beside}",
            f"--user={user}",
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
            "--innodb=OFF",
            "--default-storage-engine=MyISAM",
        ],
        "look at the disk of the data directory",
    )
    # The directory that tells that all is there comes last.
    for entry in sorted(beside.iterdir(), key=lambda entry: entry.name == "mysql"):
        os.replace(entry, data / entry.name)
    beside.rmdir()
    return True


@wbnode.minion.told
def grants(reader):
    """What a local user may do, such as ``["SELECT ON *.*"]``; nothing if there is no such user.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.grants wormbase
    """
    known = _ask(
        f"SELECT 1 FROM mysql.global_priv WHERE user = '{_named(reader)}' AND host = 'localhost'"
    )
    if not known:
        return []
    tail = f" TO `{reader}`@`localhost`"
    return [
        row.removeprefix("GRANT ").removesuffix(tail)
        for row in _ask(f"SHOW GRANTS FOR '{reader}'@'localhost'")
    ]


@wbnode.minion.told
def let_read(reader):
    """Let a local user read every database without a password, and do nothing else.

    What is served is public, and the server's own accounts have no passwords to read.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.let_read wormbase
    """
    user = f"'{_named(reader)}'@'localhost'"
    _ask(f"CREATE OR REPLACE USER {user}; GRANT SELECT ON *.* TO {user}")
    return True


def _ask(statement):
    """The rows of a statement, as the server's administrator."""
    socket = wbnode.minion.layout_of(__opts__).mysql_socket
    argv = ["mariadb", "--no-defaults", f"--socket={socket}", "--batch", "--skip-column-names"]
    return wbnode.minion.command(argv, _LOOK, input=statement, timeout=_SECONDS).splitlines()


def _data():
    return wbnode.minion.layout_of(__opts__).kind(MYSQL)


def _named(reader):
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", str(reader)):
        raise BadRequest(f"{reader!r} is not the name of a user", "use letters and digits")
    return reader
