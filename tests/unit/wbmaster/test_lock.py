"""wbmaster.lock: one run at a time, freed by the kernel; a second process tries for real."""

import fcntl
import os
import signal
import subprocess
import sys
import threading

import pytest
from wbmaster.lock import RunLock

HOLDER = {"run": "20261124T200235-release-WS221-4711", "pid": 4711}
# Says whether it got the lock, and keeps it until its standard input ends.
OTHER = """
import sys
from pathlib import Path
from wbmaster.lock import RunLock
lock = RunLock(Path(sys.argv[1]))
print(lock.take({"run": "other"}), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path):
    lock = RunLock(tmp_path / "state" / "run.lock")
    yield lock
    lock.release()


@pytest.fixture
def other(lock):
    """Starts another process that tries to take the lock."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", OTHER, lock.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        started.append(process)
        return process, process.stdout.readline() == "True\n"

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_lock_that_nobody_took_is_free_and_leaves_no_file(lock):
    assert lock.free()
    assert lock.holder() == {}
    assert not lock.path.parent.exists()


def test_who_takes_the_lock_is_named_to_others(lock):
    assert lock.take(HOLDER)

    assert not RunLock(lock.path).free()
    assert RunLock(lock.path).holder() == HOLDER


def test_a_second_process_does_not_get_the_lock_nor_its_name_into_it(lock, other):
    assert lock.take(HOLDER)

    assert other()[1] is False
    assert lock.holder() == HOLDER


def test_a_lock_given_back_is_free_and_names_nobody(lock, other):
    assert lock.take(HOLDER)
    lock.release()

    assert lock.free()
    assert lock.holder() == {}
    assert other()[1] is True


def test_a_killed_holder_leaves_the_lock_free(lock, other):
    process, taken = other()
    assert taken and not lock.free() and not lock.take(HOLDER)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)

    assert lock.free()
    assert lock.holder() == {"run": "other"}
    assert lock.take(HOLDER)
    assert lock.holder() == HOLDER


def test_what_a_holder_starts_does_not_keep_the_lock(lock):
    assert lock.take(HOLDER)
    with subprocess.Popen(["sleep", "30"], close_fds=False) as child:
        lock.release()
        free = RunLock(lock.path).free()
        child.kill()

    assert free


def test_looking_at_the_lock_does_not_take_it(lock):
    assert lock.take(HOLDER)
    lock.release()

    assert RunLock(lock.path).free()
    assert RunLock(lock.path).free()
    assert lock.take(HOLDER)


def test_somebody_who_looks_at_that_moment_does_not_keep_the_lock_from_a_run(lock):
    lock.path.parent.mkdir()
    with open(lock.path, "w") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        threading.Timer(0.015, looking.close).start()
        assert lock.take(HOLDER)


def test_a_lock_file_with_anything_else_in_it_names_nobody(lock):
    lock.path.parent.mkdir()
    lock.path.write_text("{half a hol")

    assert lock.holder() == {}


def test_giving_back_twice_is_no_error(lock):
    assert lock.take(HOLDER)
    lock.release()
    lock.release()
