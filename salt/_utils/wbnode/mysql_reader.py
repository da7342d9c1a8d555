"""The MySQL user as whom the webapp reads on this node."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from wbcore.errors import BadRequest

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_SOCKET = "unix_socket"


@dataclass(frozen=True)
class Reader:
    """A local user of the MySQL server.

    webapp_user
        The user of this node as whom the webapp runs.
    ask
        Gives the rows of a statement, as the server's administrator.
    """

    name: str
    webapp_user: str
    ask: Callable[[str], list[str]]

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(str(self.name)):
            raise BadRequest(
                f"{self.name!r} is not the name of a user",
                "use small letters and digits for wormbase:mysql:reader",
            )

    def account(self) -> str:
        """The account that a local login gets, such as ``'wormbase'@'localhost'``; empty if
        there is none."""
        hosts = self.ask(
            f"SELECT host FROM mysql.global_priv WHERE user = '{self.name}'"
            " AND host IN ('localhost', '%') ORDER BY host = '%'"
        )
        return f"'{self.name}'@'{hosts[0]}'" if hosts else ""

    def refuse_useless(self, account: str) -> None:
        """BadRequest unless the webapp can log in to this account, or to the one that would be
        made if there is none."""
        locked, plugin = self._login(account) if account else (False, _SOCKET)
        if locked:
            raise BadRequest(
                f"the MySQL user {account} is locked",
                f"run ALTER USER {account} ACCOUNT UNLOCK in MariaDB on this node",
            )
        if plugin == _SOCKET and self.name != self.webapp_user:
            raise BadRequest(
                f"the webapp runs as {self.webapp_user} and can not log in to MySQL as {self.name}"
                " without a password",
                f"set wormbase:mysql:reader to {self.webapp_user}, or make the MySQL user "
                f"{self.name} with a password and put it into the webapp's configuration",
            )

    def lacking(self, account: str, databases: Collection[str]) -> list[str]:
        """Statements after which the user is there and reads these databases, by their live
        names and in the directories of all builds. What it may do already stays."""
        made = (
            [] if account else [f"CREATE USER IF NOT EXISTS {self._own} IDENTIFIED VIA {_SOCKET}"]
        )
        return made + [
            f"GRANT SELECT ON `{pattern}`.* TO {account or self._own}"
            for pattern in self._unreadable(account, databases)
        ]

    @property
    def _own(self) -> str:
        return f"'{self.name}'@'localhost'"

    def _login(self, account: str) -> tuple[bool, str]:
        """Whether an account is locked, and the plugin by which it logs in."""
        row = self.ask(
            "SELECT COALESCE(JSON_VALUE(priv, '$.account_locked'), 0),"
            " COALESCE(JSON_VALUE(priv, '$.plugin'), '')"
            f' FROM mysql.global_priv WHERE CONCAT(QUOTE(user), "@", QUOTE(host)) = "{account}"'
        )[0]
        locked, _, plugin = row.partition("\t")
        return locked not in ("0", "false"), plugin

    def _unreadable(self, account: str, databases: Collection[str]) -> list[str]:
        """Patterns for what an account may not read yet.

        The server goes by its most specific grant alone: one below a wider grant would take
        away what that allows, so what a wider one allows to read gets none.
        """
        wanted = dict(pair for database in databases for pair in _patterns(database))
        if not wanted:
            return []
        names = " UNION ".join(f"SELECT '{name}' AS name" for name in sorted(wanted))
        given = f'privilege_type = "SELECT" AND grantee = "{account}"'
        lacking = self.ask(
            f"SELECT name FROM ({names}) AS wanted WHERE NOT EXISTS"
            f" (SELECT 1 FROM information_schema.user_privileges WHERE {given})"
            " AND NOT EXISTS (SELECT 1 FROM information_schema.schema_privileges"
            f" WHERE {given} AND name LIKE table_schema)"
        )
        return [wanted[name] for name in lacking]


def _patterns(database: str) -> list[tuple[str, str]]:
    """A name that a grant has to match, and the pattern that does: once for the live name of a
    database, once for its directories of all builds."""
    escaped = database.replace("_", r"\_")
    return [(database, escaped), (f"{database}_WS0", rf"{escaped}\_WS%")]
