"""The command ``wb``: which command of Salt it becomes, what it shows, how it ends."""

import os
import re
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
WB = CHECKOUT / "bin/wb"


@pytest.fixture
def salt_run(tmp_path):
    """A ``salt-run`` that prints its words, a line each, and ends with 3."""
    program = tmp_path / "salt-run"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nexit 3\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


def wb(environ, *words):
    return subprocess.run(
        [WB, *words], env=environ, capture_output=True, text=True, check=False, timeout=20
    )


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("release WS221", "state.orch orch.release pillar='{build: WS221}'"),
        ("minor WS221", "state.orch orch.release pillar='{build: WS221, minor: True}'"),
        ("rollback --dry-run", "state.orch orch.rollback test=True"),
        ("purge WS219", "state.orch orch.purge pillar='{build: WS219}'"),
        ("purge WS219 --local", "state.orch orch.purge pillar='{build: WS219, local: True}'"),
        ("status", "wb_release.status"),
        ("plan WS222", "wb_release.plan build=WS222"),
        ("history", "wb_release.history"),
        ("history WS221", "wb_release.history run=WS221"),
        ("drift canopus", "wb_release.drift node=canopus"),
        ("hold --reason wait", "wb_release.hold reason=wait"),
        ("bad WS222 --reason gone", "wb_release.bad build=WS222 reason=gone"),
    ],
)
def test_it_shows_salts_command_once_and_ends_with_its_exit_code(salt_run, words, command):
    ended = wb(salt_run, *words.split())

    assert (ended.returncode, ended.stderr) == (3, f"salt-run {command}\n")
    given = ended.stdout.splitlines()
    assert given.pop(0) == "--log-level=critical"
    assert (given.pop() == "--out=wb_table") if "orch." in command else True
    assert " ".join(given) == command.replace("'", "")


@pytest.mark.parametrize("words", [("release", "WS221"), ("history",)])
def test_json_is_asked_of_salt(salt_run, words):
    assert wb(salt_run, *words, "--json").stdout.splitlines()[-1] == "--out=json"


def test_what_it_shows_is_what_a_shell_reads(salt_run):
    ended = wb(salt_run, "hold", "WS222", "--reason", "it's $(wrong)")

    assert ended.stderr == """salt-run wb_release.hold build=WS222 reason='it'"'"'s $(wrong)'\n"""
    assert "reason=it's $(wrong)" in ended.stdout.splitlines()


@pytest.mark.parametrize("words", [(), ("fly",), ("release",), ("bad", "WS222")])
def test_what_is_no_command_runs_nothing(salt_run, words):
    ended = wb(salt_run, *words)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "usage: wb" in ended.stderr


def test_without_salt_it_says_where_to_run_it(tmp_path):
    (tmp_path / "python3").symlink_to("/usr/bin/python3")
    ended = wb({"PATH": str(tmp_path)}, "status")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].endswith("run wb on the master")


def test_every_orchestration_has_a_verb():
    verbs = set(re.findall(r"^    (\w+) ", wb(os.environ, "--help").stdout, re.M))

    assert {path.stem for path in (CHECKOUT / "orch").glob("*.sls")} <= verbs


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("wb hist", {"history"}),
        ("wb release --d", {"--dry-run"}),
        ("wb un", {"unhold", "unaccept"}),
    ],
)
def test_a_shell_completes_verbs_and_options(line, offers):
    words = line.split()
    script = (
        f"PATH={WB.parent}:$PATH; . {CHECKOUT}/etc/completion/wb; COMP_WORDS=({line});"
        f' COMP_CWORD={len(words) - 1}; _wb; echo "${{COMPREPLY[@]}}"'
    )
    told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)

    assert set(told.stdout.split()) == offers
