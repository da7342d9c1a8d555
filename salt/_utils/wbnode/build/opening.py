"""What a running MySQL server says of tables when it opens them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wbcore.datasets import MYSQL, Dataset
from wbcore.errors import BadData
from wbcore.layout import Layout

from wbnode.build import tables

Ask = Callable[[str], list[str]]

# The names of tables are sent and told in it, whatever the environment of this process says.
_NAMES = "SET NAMES utf8mb4"


def faults(ask: Ask, names: Sequence[str]) -> dict[str, str]:
    """Tables and views that the server can not open, and why; nothing of them is changed.

    names
        As a statement names them, such as ```c_elegans_WS221`.`features```.
    """
    found: dict[str, str] = {}
    if names:
        for row in ask(f"{_NAMES}; CHECK TABLE {', '.join(names)} QUICK"):
            name, _, kind, text = row.split("\t", 3)
            if kind.lower() == "error":
                found.setdefault(name, text)
    return found


def examined(
    layout: Layout, ask: Ask, directories: Sequence[str], live: Sequence[str]
) -> tuple[int, dict[str, str]]:
    """How many tables and views were opened by the names of their directories, and which could
    not be opened and why. What asks for tables by a live name can be looked at only once that
    leads to the release.

    live
        The names of databases to which links lead.
    """
    names = [
        name for directory in directories for name in _openable(layout, ask, directory, set(live))
    ]
    return len(names), faults(ask, names) | _without_definer(ask, directories)


def _openable(layout: Layout, ask: Ask, directory: str, live: set[str]) -> list[str]:
    folder = layout.dataset(Dataset(MYSQL, directory))
    if not folder.is_dir():
        raise BadData(f"the MySQL directory {directory} is not here", "push the build again")
    tied = {str(table) for table in tables.asking(folder, live)}
    rows = ask(
        "SELECT HEX(CONVERT(table_name USING utf8mb4)) FROM information_schema.tables"
        f" WHERE table_schema = '{directory}'"
    )
    names = (bytes.fromhex(row).decode().replace("`", "``") for row in rows)
    return [name for one in names if (name := f"`{directory}`.`{one}`") not in tied]


def _without_definer(ask: Ask, directories: Sequence[str]) -> dict[str, str]:
    """Views that the server would run as an account which it does not have."""
    if not directories:
        return {}
    rows = ask(
        f"{_NAMES}; SELECT CONCAT(table_schema, '.', table_name), definer"
        " FROM information_schema.views WHERE security_type = 'DEFINER'"
        f" AND table_schema IN ({', '.join(map(repr, directories))})"
        " AND definer NOT IN (SELECT CONCAT(user, '@', host) FROM mysql.global_priv)"
    )
    lacking = dict(row.split("\t", 1) for row in rows)
    return {
        view: f"it runs as {account}, whom this server does not know; make it"
        " SQL SECURITY INVOKER with ALTER VIEW"
        for view, account in lacking.items()
    }
