"""What the master forgets of what was, so that its ledger and its logs do not grow for ever."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

# Runs of each kind and outcome, so that many failed ones leave the experience of good ones;
# and landings that were answered.
KEPT = 300
LOG_BYTES = 10 << 20


def prune(ledger: sqlite3.Connection) -> None:
    """Forget old runs with their steps, and old landings; runs are counted still.

    What decisions are made of stays: runs that did not end, that left nodes out or that are
    changing the site over, the newest of each kind, and landings that wait or were started.
    """
    ledger.execute("create temp table old_run as select id, kind, outcome from run limit 0")
    ledger.execute(_OLD_RUNS, (KEPT,))
    ledger.execute(_COUNT)
    ledger.execute("delete from step where run in (select id from old_run)")
    ledger.execute("delete from run where id in (select id from old_run)")
    ledger.execute("drop table old_run")
    ledger.execute(_FORGET_LANDINGS, (KEPT,))


def shorten(log: Path) -> None:
    """Have a log begin anew if it is long; what it has goes to ``….1``, in place of what was
    there."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        os.replace(log, log.with_name(f"{log.name}.1"))


_OLD_RUNS = """
insert into old_run select id, kind, outcome from (
    select id, kind, outcome,
        row_number() over (partition by kind, outcome order by rowid desc) as place
    from run where ended is not null
)
where place > ? and id not in (select run from switch union select run from away)
"""
_COUNT = """
insert into forgotten_run select kind, outcome, count(*) from old_run where true
group by kind, outcome
on conflict (kind, outcome) do update set runs = runs + excluded.runs
"""
_FORGET_LANDINGS = """
delete from landing where state = 'answered' and rowid not in (
    select rowid from landing where state = 'answered' order by decided desc limit ?
)
"""
