"""What this node serves, asked of its servers at this moment.

Standard library and ``wbcore`` only: the report's own service runs it with the distribution's
Python, without Salt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from wbcore.errors import ReleaseError, StepFailed
from wbcore.golive.pages import disagreement
from wbcore.layout import Layout
from wbcore.settings import Settings

from . import acedb, mysql, pages, webapp


@dataclass(frozen=True)
class Servers:
    """The servers of a web node, and what they are asked.

    acedb_port
        0 on a node without AceDB.
    mysql_socket
        Where the MySQL server listens; empty on a node without one.
    """

    node: str
    webapp_port: int
    acedb_port: int
    mysql_socket: str
    check_paths: Mapping[str, str]
    version_path: str

    @classmethod
    def of(cls, settings: Settings, node: str) -> Servers:
        """The servers of a node of the pillar."""
        roles = settings.nodes[node].roles
        return cls(
            node,
            settings.webapp.port,
            settings.acedb.port if "acedb" in roles else 0,
            settings.mysql.socket if "mysql" in roles else "",
            dict(settings.webapp.check_paths),
            settings.webapp.version_path,
        )

    def plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        return asdict(self)


def report(layout: Layout, servers: Servers, ask: mysql.Ask, seconds: float) -> dict[str, Any]:
    """``{"node", "release", "webapp", "revision", "acedb", "mysql": {database: build}, "pages":
    {path: status}}``, and ``error``, a sentence, if any of it can not be learnt.

    ask
        Gives the rows of a statement of SQL.
    seconds
        The longest time for one question.
    """
    told: dict[str, Any] = {"node": servers.node}
    with ThreadPoolExecutor() as threads:
        asked = [threads.submit(one) for one in _questions(layout, servers, ask, seconds)]
    for one in asked:
        try:
            told.update(one.result())
        except ReleaseError as error:
            told.setdefault("error", str(error))
    return told if "error" in told else _compared(servers, told, seconds)


def _questions(
    layout: Layout, servers: Servers, ask: mysql.Ask, seconds: float
) -> list[Callable[[], dict[str, Any]]]:
    questions = [lambda: _webapp(layout, servers, seconds)]
    if servers.acedb_port:
        questions.append(
            lambda: {"acedb": acedb.build(layout, servers.acedb_port, seconds)},
        )
    if servers.mysql_socket:
        socket = layout.below(servers.mysql_socket)
        questions.append(lambda: {"mysql": mysql.builds(layout, socket, ask)})
    return questions


def _webapp(layout: Layout, servers: Servers, seconds: float) -> dict[str, Any]:
    port = servers.webapp_port
    release = webapp.release(layout, port)
    answers = pages.check(port, servers.check_paths, release, seconds)
    statuses = {path: answer["status"] for path, answer in answers.items()}
    for path, status in statuses.items():
        if status != 200:
            raise StepFailed(
                f"the page {path} of {release} answers {status}",
                "look at the journal of Starman's unit on this node",
            )
    return {
        "release": str(release),
        "webapp": release.webapp,
        "revision": release.revision,
        "pages": statuses,
    }


def _compared(servers: Servers, told: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The report, held against the webapp's own page on its versions, if it has one."""
    if not servers.version_path:
        return told
    try:
        page = pages.version(servers.webapp_port, servers.version_path, seconds)
    except ReleaseError as error:
        return {**told, "error": str(error)}
    wrong = disagreement(page, told)
    return {**told, "error": f"the page {servers.version_path} {wrong}"} if wrong else told
