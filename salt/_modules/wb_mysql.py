"""The MySQL server of this node: its place, its system tables, its reader, what it serves.

The databases are MyISAM directories, live through symlinks beside them; the server looks at
a link anew when its tables are flushed. It may have other databases too, of other applications,
which are left alone.
"""

import os
import re
import shutil
import time
from pathlib import Path

import wbnode.files
import wbnode.minion
from wbcore.datasets import MYSQL, Dataset
from wbcore.errors import StepFailed
from wbnode.build import opening
from wbnode.mysql_reader import Reader
from wbnode.serving import mysql, processes

__virtualname__ = "wb_mysql"

_SECONDS = 30
# Every index of a build is read.
_EXAMINE_SECONDS = 3600
_POLL_SECONDS = 0.02
# What Debian starts from, and where it has the databases unless a file says otherwise.
_CONFIGURATION = "/etc/mysql/my.cnf"
_DEFAULT = "/var/lib/mysql"
_SYSTEM = ("information_schema", "mysql", "performance_schema", "sys")
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
    # Of all tables: a flush of some of them would wait for whoever reads one, and this does not.
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
    return mysql.builds(wbnode.minion.layout_of(__opts__), _socket(), _ask)


@wbnode.minion.salt_errors
def elsewhere():
    """The databases outside of the data directory that the server loses with the project's file
    of its configuration: full paths.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.elsewhere
    """
    layout = wbnode.minion.layout_of(__opts__)
    place = _configured(layout.below(_CONFIGURATION)) or layout.below(_DEFAULT)
    if not place.is_dir() or place.resolve() == _data().resolve():
        return []
    folders = (path for path in place.glob("[!.#]*") if path.is_dir())
    return sorted(str(path) for path in folders if path.name not in (*_SYSTEM, "lost+found"))


@wbnode.minion.salt_errors
def place():
    """Where the running server has its databases: ``{"data directory": path, "databases":
    [names]}``, without the server's own.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.place
    """
    names = ", ".join(map(repr, _SYSTEM))
    directory, *databases = _ask(
        "SELECT @@datadir; SELECT schema_name FROM information_schema.schemata"
        f" WHERE schema_name NOT IN ({names})"
        # A folder whose name is none of a database.
        " AND schema_name NOT LIKE '#mysql50#.%' ORDER BY schema_name"
    )
    return {"data directory": os.path.realpath(directory), "databases": databases}


@wbnode.minion.salt_errors
def restart():
    """Restart the server by its unit; one that was started by other means gives way to the unit.

    CLI Example:

    .. code-block:: bash

        salt wb-web1 wb_mysql.restart
    """
    service = _settings().service
    if not __salt__["wb_service.state"](service)["running"] and _listens():
        # What has started it may start it again, but not after it was told to end.
        _ask("SHUTDOWN")
        until = time.monotonic() + _SECONDS
        while _listens() and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
    if not __salt__["service.restart"](service):
        raise StepFailed(
            f"{service} did not restart", f"run systemctl status {service} on this node"
        )
    return True


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
    ask = mysql.client(_socket(), _EXAMINE_SECONDS)
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
            # It may say that there is no InnoDB, and then InnoDB gets no files.
            f"--defaults-file={wbnode.minion.layout_of(__opts__).below(_CONFIGURATION)}",
            f"--datadir={beside}",
            # A server that starts removes temporary tables from a directory that others use, too.
            f"--tmpdir={beside}",
            f"--user={user}",
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
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
    argv = ["mariadb", "--no-defaults", f"--socket={_socket()}", "--batch", "--skip-column-names"]
    look = f"look at MariaDB there: systemctl status {_settings().service}"
    return wbnode.minion.command(argv, look, input=statement, timeout=_SECONDS).splitlines()


def _configured(file):
    """The data directory that a file of configuration names, with all that it includes."""
    if not file.exists() or not shutil.which("my_print_defaults"):
        return None
    argv = ["my_print_defaults", f"--defaults-file={file}", "--mysqld"]
    lines = wbnode.minion.command(argv, f"look at {file} on this node").splitlines()
    told = [line.partition("=")[2] for line in lines if line.startswith("--datadir=")]
    return Path(told[-1]) if told else None


def _listens():
    return bool(processes.listening_at(_socket()))


def _socket():
    return wbnode.minion.layout_of(__opts__).below(_settings().socket)


def _settings():
    return wbnode.minion.settings_of(__pillar__).mysql


def _data():
    return wbnode.minion.layout_of(__opts__).kind(MYSQL)
