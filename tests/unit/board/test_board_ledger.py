"""The ledger, read by a user who may do nothing else with it."""

import os
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from wbcore.errors import BadData
from wbmaster.ledger import Ledger

from board.ledger import ReadLedger

NOBODY = 65534


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "ledger.sqlite")
    made.advance()
    return made


def test_it_reads_what_was_written(ledger):
    assert ReadLedger(ledger.path).epoch() == 1


def test_it_writes_nothing(ledger):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        ReadLedger(ledger.path).advance()
    assert ledger.epoch() == 1


def test_there_may_be_none_yet(tmp_path):
    assert ReadLedger(tmp_path / "ledger.sqlite").runs(1) == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_ledger_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("board.ledger._PAUSE_SECONDS", 0)
    (tmp_path / "ledger.sqlite").write_text("no database at all " * 100)

    with pytest.raises(BadData, match=r"ledger\.sqlite can not be read"):
        ReadLedger(tmp_path / "ledger.sqlite").runs(1)


@pytest.mark.parametrize("opened", [False, True])
def test_a_user_who_may_only_read_it_does(ledger, opened):
    """Nobody else has it open: then SQLite would have to make two files beside it."""
    for folder in (ledger.path.parent, *ledger.path.parent.parents):
        if folder.owner() == "root" and folder != Path("/tmp"):
            os.chmod(folder, folder.stat().st_mode | 0o055)
    connection = sqlite3.connect(ledger.path) if opened else None
    if connection:
        connection.execute("select * from epoch").fetchall()

    assert epoch_as_nobody(ledger.path) == 1


def epoch_as_nobody(path):
    """The epoch that another user reads, who may not be able to start this Python."""
    child = os.fork()
    if child == 0:
        code = 255
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            code = ReadLedger(path).epoch()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_it_is_read_whole_while_somebody_writes(ledger):
    ending = threading.Event()

    def write():
        while not ending.is_set():
            ledger.rest("a")

    thread = threading.Thread(target=write)
    thread.start()
    reader, seen, until = ReadLedger(ledger.path), [], time.monotonic() + 30
    try:
        while time.monotonic() < until and (not seen or seen[-1] < 20):
            seen.append(reader.epoch())
    finally:
        ending.set()
        thread.join()
    assert seen == sorted(seen) and seen[-1] >= 20
