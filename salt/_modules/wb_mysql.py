"""The MySQL server of this node: its system tables, its reader, what it serves.

The databases are MyISAM directories, live through symlinks beside them; the server looks at
a link anew when its tables are flushed.
"""

import os
import re
import shutil
import time

import wbnode.files
import wbnode.minion
from wbcore.datasets import MYSQL, Dataset
from wbnode.build import opening
from wbnode.mysql_reader import Reader
from wbnode.serving import mysql

__virtualname__ = "wb_mysql"

_LOOK = "look at MariaDB there: systemctl status mariadb"
_SECONDS = 30
# Every index of a build is read.
_EXAMINE_SECONDS = 3600
_DIRECTORY = re.compile(r"([A-Za-z0-9_]{1,64})_WS[1-9][0-9]*")


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def flush():
    """Let the server follow the live links: it opens every table anew. Readers who are there
    may read databases that came since.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.flush
    """
    _ask("FLUSH TABLES")
    settings = wbnode.minion.settings_of(__pillar__)
    for user in map(_reader, sorted({settings.mysql.reader, settings.report.user})):
        account = user.account()
        if account:
            _run(user.lacking(account, _databases()))
    return True


@wbnode.minion.salt_errors
def builds():
    """The build of each live database, by the tables that the running server has open:
    ``{database: "WS221"}``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.builds
    """
    return mysql.builds(wbnode.minion.layout_of(__opts__), _ask)


@wbnode.minion.salt_errors
def examine(databases):
    """Have the server open each table and view of databases to which no link leads yet, by the
    names of their directories, and read their indexes.

    Views and MERGE tables that ask for another database by its live name are passed over: that
    still leads to another build.

    databases
        MySQL directory of each database, ``{"c_elegans": "c_elegans_WS221"}``.

    Returns ``{"tables": int, "seconds": float, "faults": {"c_elegans_WS221.features": why}}``.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.examine '{c_elegans: c_elegans_WS221}'
    """
    layout, began = wbnode.minion.layout_of(__opts__), time.monotonic()
    new = [
        Dataset.parse(f"{MYSQL}/{directory}").name
        for name, directory in sorted(databases.items())
        if not _leads_to(layout.link(f"{MYSQL}/{name}"), directory)
    ]
    ask = mysql.client(layout, _EXAMINE_SECONDS)
    count, faults = opening.examined(layout, ask, new, list(databases))
    return {"tables": count, "seconds": round(time.monotonic() - began, 3), "faults": faults}


@wbnode.minion.salt_errors
def has_system_tables():
    """Whether the data directory has what a server needs to start.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.has_system_tables
    """
    return (_data() / "mysql").is_dir()


@wbnode.minion.salt_errors
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
    incoming = wbnode.minion.layout_of(__opts__).incoming_of(MYSQL)
    beside = incoming / ".initialising"
    wbnode.files.remove_in(incoming, beside)
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
    # The directory that shows that all is there comes last.
    for entry in sorted(beside.iterdir(), key=lambda entry: entry.name == "mysql"):
        os.replace(entry, data / entry.name)
    beside.rmdir()
    return True


@wbnode.minion.salt_errors
def lacking(reader):
    """The statements after which a local user reads the databases whose directories are here,
    of whatever build; nothing is done. BadRequest when the webapp could not log in as that user.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.lacking wormbase
    """
    user = _reader(reader)
    account = user.account()
    user.refuse_useless(account)
    return user.lacking(account, _databases())


@wbnode.minion.salt_errors
def let_read(reader):
    """Let a local user read the databases whose directories are here, of whatever build.

    A user who is not there is made, for a login of the webapp's own user by the socket; one who
    is there keeps password and grants, and gets the grants that are lacking. Returns the
    statements that were run. BadRequest when the webapp could not log in as that user.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.let_read wormbase
    """
    statements = lacking(reader)
    _run(statements)
    return statements


def _reader(name):
    """A reader, and the user of this node who logs in as it: the report's own, or the webapp's."""
    settings = wbnode.minion.settings_of(__pillar__)
    own = name == settings.report.user
    return Reader(name, name if own else settings.webapp.user, _ask)


def _leads_to(link, directory):
    return link.is_symlink() and link.readlink().name == directory


def _databases():
    """The names, without a build, of the databases of which a directory is here."""
    found = (_DIRECTORY.fullmatch(path.name) for path in _data().glob("*_WS*") if path.is_dir())
    return sorted({match[1] for match in found if match})


def _run(statements):
    if statements:
        _ask(";\n".join(statements))


def _ask(statement):
    """The rows of a statement, as the server's administrator."""
    socket = wbnode.minion.layout_of(__opts__).mysql_socket
    argv = ["mariadb", "--no-defaults", f"--socket={socket}", "--batch", "--skip-column-names"]
    return wbnode.minion.command(argv, _LOOK, input=statement, timeout=_SECONDS).splitlines()


def _data():
    return wbnode.minion.layout_of(__opts__).kind(MYSQL)
