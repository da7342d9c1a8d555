"""Real processes and their sockets, as the report finds them."""

import os
import socket
import subprocess
import time

import pytest
from wbnode.serving import processes


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::")]
)
def test_who_listens_on_a_port_is_found(family, address):
    with socket.socket(family) as server, socket.socket() as client:
        server.bind((address, 0))
        port = server.getsockname()[1]
        assert processes.listening(port) == set()
        server.listen()
        client.connect(("127.0.0.1", port))
        assert len(processes.listening(port)) == 1
        holders = processes.holders(processes.listening(port))
    assert list(holders) == [os.getpid()]


def test_who_listens_at_a_path_is_found_by_any_name_of_it(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "var-run").symlink_to("run")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(str(tmp_path / "var-run/socket"))
        assert processes.listening_at(tmp_path / "run/socket") == set()
        server.listen()
        client.connect(str(tmp_path / "run/socket"))
        connection, _ = server.accept()
        with connection:
            assert len(processes.listening_at(tmp_path / "run/socket")) == 1


def test_a_process_tells_its_parent_directory_and_start(tmp_path):
    before = time.time()
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as process:
        tmp_path.rename(tmp_path.with_name("moved"))
        assert processes.parent(process.pid) == os.getpid()
        assert processes.working_directory(process.pid) == tmp_path.with_name("moved")
        assert before - 0.1 < processes.started(process.pid) < time.time() + 0.1
        process.kill()
    assert processes.working_directory(process.pid) is None
    assert (processes.parent(process.pid), processes.started(process.pid)) == (0, 0.0)


def test_a_directory_that_was_removed_has_its_name(tmp_path):
    gone = tmp_path / "WS220"
    gone.mkdir()
    with subprocess.Popen(["sleep", "60"], cwd=gone) as process:
        gone.rmdir()
        assert processes.working_directory(process.pid) == gone
        process.kill()
