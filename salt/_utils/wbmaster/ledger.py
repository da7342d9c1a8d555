"""The ledger: a SQLite database on the master.

What is live, runs and releases are written by the run that holds the lock alone; verdicts,
landings and what nodes tell of themselves by whoever hears of them.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

from wbcore.drift import Report
from wbcore.errors import BadData
from wbcore.events import WAITING
from wbcore.model.landing import Landing
from wbcore.model.ledger_facts import Known, ReleaseRecord, Switch
from wbcore.names import Build, Release
from wbcore.requests import Request
from wbcore.verdicts import HOLD, KINDS, Verdict

from .housekeeping import prune
from .ledger_schema import COLUMNS, SCHEMA, VERSION

# Of each node; whoever has a minion's key could else fill the master's disk.
_DRIFT_KEPT = 200
_FLAGS = ("published", "posted", "mailed")


class Ledger:
    """What the master knows; every call is one transaction.

    What is newer is told by the order in which it was recorded: clocks are set back at times.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
                connection.row_factory = sqlite3.Row
                if connection.execute("pragma user_version").fetchone()[0] < VERSION:
                    # New, of an earlier version, or its maker was killed before it was whole.
                    connection.execute("pragma journal_mode = wal")
                    connection.executescript(SCHEMA)
                    _add_columns(connection)
                yield connection
        except sqlite3.DatabaseError as error:
            raise BadData(
                f"the ledger {self.path} can not be used ({error})",
                "see to its disk, or put a copy of it back",
            ) from error

    def _rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        # A reader must not create the ledger: a dry run on a new master leaves no file.
        if not self.path.exists():
            return []
        with self._open() as connection:
            return [dict(row) for row in connection.execute(query, values)]

    def _write(self, query: str, *values: Any) -> None:
        with self._open() as connection:
            connection.execute(query, values)

    # Runs and their steps

    def begin_run(self, run: dict[str, Any]) -> None:
        """Record a run with the columns given: id, kind, request, build, cause, pid."""
        columns = ", ".join(run)
        marks = ", ".join("?" * len(run))
        self._write(
            f"insert into run ({columns}, began) values ({marks}, ?)",
            *run.values(),
            time.time(),
        )

    def describe_run(self, run: str, **columns: Any) -> None:
        """Set columns of a run: release, forecast, figures."""
        for column, value in columns.items():
            text = json.dumps(value) if isinstance(value, dict) else value
            self._write(f"update run set {column} = ? where id = ?", text, run)

    def end_run(self, run: str, outcome: str, error: str = "") -> None:
        """Record how a run ended, and forget old ones."""
        with self._open() as connection:
            connection.execute(
                "update run set ended = ?, outcome = ?, error = ? where id = ?",
                (time.time(), outcome, error, run),
            )
            prune(connection)

    def bury_the_dead(self, run: str) -> list[str]:
        """Mark runs that never ended as died, all but ``run``, which holds the lock now; one that
        came to its outcome keeps it."""
        dead = self._rows("select * from run where ended is null and id <> ?", run)
        for one in dead:
            ended = one["outcome"] not in (None, WAITING)
            error = one["error"] if one["outcome"] else "its process ended before the run did"
            self.end_run(one["id"], one["outcome"] if ended else "died", error)
        return [one["id"] for one in dead]

    def conclude(self, run: str, outcome: str, error: str) -> int:
        """Record what a run came to, and begin an epoch; the run has not ended before the nodes
        know that epoch. The new epoch."""
        with self._open() as connection:
            values = (outcome, error, run)
            connection.execute("update run set outcome = ?, error = ? where id = ?", values)
            connection.execute(_ADVANCE)
        return self.epoch()

    def begin_step(self, run: str, step: str) -> None:
        """Record that a step of a run began."""
        self._write(
            "insert or replace into step (run, step, began) values (?, ?, ?)",
            run,
            step,
            time.time(),
        )

    def end_step(
        self, run: str, step: str, outcome: str, figures: dict[str, Any], error: str = ""
    ) -> None:
        """Record how a step ended and what it measured."""
        self._write(
            "update step set ended = ?, outcome = ?, figures = ?, error = ? "
            "where run = ? and step = ?",
            time.time(),
            outcome,
            json.dumps(figures),
            error,
            run,
            step,
        )

    def run(self, run: str) -> dict[str, Any] | None:
        """One run, its JSON columns read."""
        rows = self._rows("select * from run where id = ?", run)
        return _read(rows[0]) if rows else None

    def runs(self, limit: int) -> list[dict[str, Any]]:
        """The newest runs, newest first."""
        return [
            _read(row) for row in self._rows("select * from run order by rowid desc limit ?", limit)
        ]

    def unfinished(self) -> dict[str, Any] | None:
        """The newest run that has not ended."""
        rows = self._rows("select * from run where ended is null order by rowid desc limit 1")
        return _read(rows[0]) if rows else None

    def steps(self, run: str) -> list[dict[str, Any]]:
        """The steps of a run in the order in which they began."""
        return [
            _read(row) for row in self._rows("select * from step where run = ? order by rowid", run)
        ]

    # Releases

    def record_release(self, record: ReleaseRecord) -> None:
        """Record a release that was made, keeping what was already done with it."""
        self._write(
            "insert into release (name, digest, build_digest, databases, datasets) "
            "values (?, ?, ?, ?, ?) on conflict (name) do update set digest = excluded.digest, "
            "build_digest = excluded.build_digest, databases = excluded.databases, "
            "datasets = excluded.datasets",
            str(record.release),
            record.digest,
            record.build_digest,
            json.dumps(dict(record.databases)),
            json.dumps(list(record.datasets)),
        )

    def mark(self, release: Release, flag: str) -> None:
        """Record that a release was ``published``, ``posted`` or ``mailed``."""
        if flag not in _FLAGS:
            raise ValueError(flag)
        self._write(
            f"update release set {flag} = ? where name = ?",
            time.time(),
            str(release),
        )

    # What was said about builds

    def judge(
        self, kind: str, build: Build | None, reason: str, who: str, digest: str = ""
    ) -> None:
        """Record a verdict about a build, or about all of them; ``digest`` is of the sealing
        that it is about."""
        if kind not in KINDS:
            raise ValueError(kind)
        self._write(
            "insert or replace into verdict (kind, build, reason, who, since, digest)"
            " values (?, ?, ?, ?, ?, ?)",
            *(kind, str(build or ""), reason, who, time.time(), digest),
        )

    def lift(self, kind: str, build: Build | None) -> bool:
        """Take a verdict off the record; whether there was one."""
        had = self.known().verdict(kind, build) is not None
        if had:
            self._write("delete from verdict where kind = ? and build = ?", kind, str(build or ""))
        return had

    # What landed

    def landings(self) -> list[Landing]:
        """Every landing, the newest build first."""
        rows = [_landing(row) for row in self._rows("select * from landing")]
        return sorted(rows, key=lambda one: (one.build, one.revision), reverse=True)

    def record_landing(self, landing: Landing) -> None:
        """Record a landing and what was decided about it."""
        values = astuple(replace(landing, build=str(landing.build)))  # type: ignore[arg-type]
        marks = ", ".join("?" * len(values))
        self._write(f"insert or replace into landing values ({marks})", *values)

    def forget_landing(self, landing: Landing) -> None:
        """Forget a landing that was taken back."""
        self._write(
            "delete from landing where build = ? and revision = ?",
            str(landing.build),
            landing.revision,
        )

    def run_of(self, landing: Landing) -> dict[str, Any] | None:
        """The newest run of a landing's build that a landing could have started."""
        rows = self._rows(
            "select * from run where build = ? and kind in ('release', 'golive', 'push') "
            "order by rowid desc",
            str(landing.build),
        )
        minor = bool(landing.revision)
        found = (run for run in map(_read, rows) if run["request"].get("minor", False) == minor)
        return next(found, None)

    def left(self, build: Build) -> bool:
        """Whether a build was live and was left by going back."""
        query = "select 1 from live where release like ? and gone_back is not null limit 1"
        return bool(self._rows(query, f"{build}-%"))

    # What nodes report of themselves

    def record_drift(self, report: Report) -> None:
        """Record what a node reported; the same once more is counted, and the oldest goes."""
        now, plain = time.time(), report.plain()
        changes = json.dumps(plain["changes"])
        with self._open() as connection:
            newest = connection.execute(_NEWEST_DRIFT, (report.node,)).fetchone()
            told = (report.kind, changes, report.more)
            if newest and (newest["kind"], newest["changes"], newest["more"]) == told:
                connection.execute(_DRIFT_AGAIN, (now, newest["number"]))
                return
            connection.execute(_NEW_DRIFT, (report.node, *told, now, now))
            connection.execute(_FORGET_DRIFT, (report.node, report.node, _DRIFT_KEPT))

    def drift(self, limit: int, node: str = "") -> list[dict[str, Any]]:
        """The newest reports of one node or of all, newest first."""
        query = "select * from drift where ? in ('', node) order by last desc limit ?"
        return [_read(row) for row in self._rows(query, node, limit)]

    def drift_told(self) -> dict[tuple[str, str], int]:
        """(node, kind) → how often a node reported it, of what is kept."""
        query = "select node, kind, sum(times) as times from drift group by node, kind"
        return {(row["node"], row["kind"]): row["times"] for row in self._rows(query)}

    # Nodes that a release left out

    def record_away(self, run: str, nodes: Iterable[str]) -> None:
        """Record which nodes a run left out that made a release live."""
        with self._open() as connection:
            connection.execute("delete from away")
            connection.executemany("insert into away values (?, ?)", [(one, run) for one in nodes])

    def away(self) -> list[str]:
        """Nodes that were left out and have not been asked to catch up."""
        return [row["node"] for row in self._rows("select node from away order by node")]

    def is_back(self, nodes: Iterable[str]) -> None:
        """Record that nodes were asked to catch up."""
        with self._open() as connection:
            connection.executemany("delete from away where node = ?", [(one,) for one in nodes])

    # What is live

    def begin_switch(self, run: str, before: Release | None, after: Release) -> None:
        """Record that the change-over begins; until it ends nothing else touches links."""
        with self._open() as connection:
            values = (run, str(before or ""), str(after))
            connection.execute("insert or replace into switch values (1, ?, ?, ?)", values)
            connection.execute(_ADVANCE)

    def pass_switch(self, run: str, release: Release, way: str) -> None:
        """Record that ``release`` passed its checks and is live; ``way`` is ``forward`` or
        ``back`` and says whether the one before stays a way back."""
        with self._open() as connection:
            live = connection.execute(_LIVE).fetchone()
            if way == "back":
                connection.execute(_GO_BACK, (time.time(), str(release)))
            elif live is None or live["release"] != str(release):
                connection.execute(
                    "insert into live (release, run, since) values (?, ?, ?)",
                    (str(release), run, time.time()),
                )
            connection.execute("delete from switch")

    def undo_switch(self) -> None:
        """Record that the change-over was taken back."""
        self._write("delete from switch")

    def adopt(self, record: ReleaseRecord, run: str) -> None:
        """Record that a release is live which others made live and announced."""
        self.record_release(record)
        for flag in _FLAGS:
            self.mark(record.release, flag)
        # Last, since what is live counts as adopted.
        self.pass_switch(run, record.release, "forward")

    def recover(self, record: ReleaseRecord, epoch: int, run: str, who: str, reason: str) -> None:
        """Record that a release is live, as the run ``run`` found out, and that nothing else is
        at work; it counts as announced, and everything is held."""
        self.bury_the_dead(run)
        self.record_release(record)
        for flag in _FLAGS:
            self.mark(record.release, flag)
        there = record.release in self.known().stack
        self.pass_switch(run, record.release, "back" if there else "forward")
        self.judge(HOLD, None, reason, who)
        now = time.time()
        values = (run, "recover", "{}", str(record.release), "command", os.getpid(), now, now)
        with self._open() as connection:
            connection.execute(_RECOVERED, values)
            connection.execute("insert or replace into epoch values (1, ?)", (epoch,))

    def epoch(self) -> int:
        """How often what is live began to change; see :mod:`wbcore.golive.epoch`."""
        rows = self._rows("select number from epoch")
        return int(rows[0]["number"]) if rows else 0

    def rest(self, node: str) -> None:
        """Record which node is out of the pool while something is restarted on it, '' for none;
        an epoch begins with it."""
        with self._open() as connection:
            connection.execute("delete from resting")
            connection.executemany("insert into resting values (?)", [(node,)] if node else [])
            connection.execute(_ADVANCE)

    def advance(self) -> int:
        """Begin an epoch: orders that were given before it are void."""
        self._write(_ADVANCE)
        return self.epoch()

    def known(self) -> Known:
        """What decisions are made of."""
        records = [_record(row) for row in self._rows("select * from release order by rowid")]
        stack = self._rows("select * from live where gone_back is null order by number")
        switch = self._rows("select * from switch")
        return Known(
            [Release.parse(row["release"]) for row in stack],
            {record.release: record for record in records},
            _switch(switch[0]) if switch else None,
            self._going_back(),
            tuple(map(_verdict, self._rows("select * from verdict order by since"))),
            self.epoch(),
            "".join(row["node"] for row in self._rows("select node from resting")),
            self._landed(),
        )

    def _landed(self) -> Build | None:
        rows = self._rows("select build from landing where revision = ''")
        return max((Build.parse(row["build"]) for row in rows), default=None)

    def _going_back(self) -> Release | None:
        # Going back goes on where it was, whatever was pushed or purged since.
        newest = self._rows(
            "select * from run where kind in ('release', 'golive', 'rollback', 'recover') "
            "and release <> '' "
            "order by rowid desc limit 1"
        )
        if not newest or newest[0]["kind"] != "rollback":
            return None
        if newest[0]["outcome"] == "done" and newest[0]["ended"]:
            return None
        return Release.parse(newest[0]["release"])

    def tried(self, build: Build) -> bool:
        """Whether a release of a build came to an end before, good or bad."""
        query = (
            "select 1 from run where kind in ('release', 'golive') and build = ? "
            "and outcome in ('done', 'failed') limit 1"
        )
        return bool(self._rows(query, str(build)))

    def lives(self) -> list[dict[str, Any]]:
        """Every release that was ever live, oldest first."""
        return self._rows("select * from live order by number")

    def pushes(self, limit: int = 5) -> list[dict[str, dict[str, Any]]]:
        """The newest runs that brought a build and ended well: the figures of each step."""
        rows = self._rows(
            "select id from run where outcome = 'done' and exists (select 1 from step where "
            "run = id and step like 'push_%' and figures like '%entered%') "
            "order by rowid desc limit ?",
            limit,
        )
        return [{step["step"]: step["figures"] for step in self.steps(row["id"])} for row in rows]

    def newest_done(self, request: Request) -> dict[str, dict[str, Any]]:
        """The figures of each step of the newest run of the same kind that ended well."""
        query = "select * from run where kind = ? and outcome = 'done' order by rowid desc"
        rows = map(_read, self._rows(query, request.kind))
        minor = (row["id"] for row in rows if row["request"].get("minor", False) == request.minor)
        return {step["step"]: step["figures"] for step in self.steps(next(minor, ""))}

    # For the metrics

    def live_since(self) -> float | None:
        """When what is live went live, or was gone back to."""
        rows = self.lives()
        live = [row for row in rows if row["gone_back"] is None]
        if not live:
            return None
        left = [row["gone_back"] for row in rows if row["number"] > live[-1]["number"]]
        return float(max([live[-1]["since"], *left]))

    def newest_push(self) -> list[dict[str, Any]]:
        """The steps of the newest run that pushed something, with their figures."""
        return [_read(row) for row in self._rows(_NEWEST_PUSH)]

    def newest_figure(self, name: str) -> float | None:
        """A figure as the newest step has it that has one of this name."""
        query = "select figures from step where figures like ? order by rowid desc limit 1"
        rows = self._rows(query, f'%"{name}"%')
        return float(_read(rows[0])["figures"][name]) if rows else None

    def outcomes(self) -> dict[tuple[str, str], int]:
        """(kind, outcome) → how many runs have ended so, also of those that were forgotten."""
        query = (
            "select kind, outcome, sum(runs) as runs from (select kind, outcome, 1 as runs from run"
            " where ended is not null union all select * from forgotten_run) "
            "group by kind, outcome"
        )
        return {(row["kind"], row["outcome"]): row["runs"] for row in self._rows(query)}


_PUSHED = "step like 'push_%' and outcome = 'done' and figures like '%\"received\"%'"
_NEWEST_PUSH = (
    f"select * from step where {_PUSHED} and run = "
    f"(select run from step where {_PUSHED} order by rowid desc limit 1) order by rowid"
)
_RECOVERED = (
    "insert into run (id, kind, request, release, cause, pid, began, ended, outcome) "
    "values (?, ?, ?, ?, ?, ?, ?, ?, 'done')"
)
_ADVANCE = "insert into epoch values (1, 1) on conflict (id) do update set number = number + 1"
_LIVE = "select * from live where gone_back is null order by number desc limit 1"
_GO_BACK = (
    "update live set gone_back = ? where gone_back is null and number > "
    "(select max(number) from live where gone_back is null and release = ?)"
)

_NEWEST_DRIFT = "select * from drift where node = ? order by number desc limit 1"
_DRIFT_AGAIN = "update drift set last = ?, times = times + 1 where number = ?"
_NEW_DRIFT = (
    "insert into drift (node, kind, changes, more, since, last, times) values (?, ?, ?, ?, ?, ?, 1)"
)
_FORGET_DRIFT = (
    "delete from drift where node = ? and number not in "
    "(select number from drift where node = ? order by number desc limit ?)"
)


def _add_columns(connection: sqlite3.Connection) -> None:
    """Give tables of an earlier version the columns that they lack."""
    for table, column, what in COLUMNS:
        there = [row["name"] for row in connection.execute(f"pragma table_info({table})")]
        if column not in there:
            connection.execute(f"alter table {table} add column {column} {what}")


def _read(row: dict[str, Any]) -> dict[str, Any]:
    for column in ("request", "forecast", "figures", "changes"):
        if column in row:
            row[column] = json.loads(row[column])
    return row


def _record(row: dict[str, Any]) -> ReleaseRecord:
    return ReleaseRecord(
        Release.parse(row["name"]),
        row["digest"],
        row["build_digest"],
        json.loads(row["databases"]),
        json.loads(row["datasets"]),
        *(row[flag] is not None for flag in _FLAGS),
    )


def _switch(row: dict[str, Any]) -> Switch:
    before = Release.parse(row["before"]) if row["before"] else None
    return Switch(row["run"], before, Release.parse(row["after"]))


def _landing(row: dict[str, Any]) -> Landing:
    return Landing(**{**row, "build": Build.parse(row["build"])})


def _verdict(row: dict[str, Any]) -> Verdict:
    build = Build.parse(row["build"]) if row["build"] else None
    return Verdict(row["kind"], build, row["reason"], row["who"], row["since"], row["digest"])
