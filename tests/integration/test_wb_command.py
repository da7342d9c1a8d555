"""``wb`` against a real master: the same answers, on a terminal and for programs."""

import json
import os
import shlex
import subprocess

import pytest
import staged
from wbsite import CHECKOUT, STAGING, WEB


@pytest.fixture
def environ(site, tmp_path):
    """Where ``salt-run`` is that of the site's master."""
    salt_run = site.master.salt_run_cli()
    words = [word for word in salt_run.cmdline() if not word.startswith(("--out", "--log"))]
    program = tmp_path / "salt-run"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, words))} "$@"\n')
    program.chmod(0o755)
    return {
        **salt_run.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "80",
    }


@pytest.fixture
def ws221(site):
    """The site with WS221 and a webapp staged."""
    staged.build(site.layouts[STAGING], "WS221")
    staged.webapp(site.layouts[STAGING])
    return site


def wb(environ, *words):
    return subprocess.run(
        [CHECKOUT / "bin/wb", *words],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_status_is_a_table_and_json_is_data(site, environ):
    table, data = wb(environ, "status"), wb(environ, "status", "--json")

    assert (table.returncode, data.returncode) == (0, 0), (table, data)
    assert table.stderr == "salt-run wb_release.status\n"
    assert table.stdout.splitlines()[0] == "live      nothing"
    row = next(line for line in table.stdout.splitlines() if WEB in line)
    assert row.split()[:2] == ["!", WEB]
    assert set(json.loads(data.stdout)) >= {"live", "nodes", "proxy"}


def test_a_refusal_is_one_sentence_and_an_exit_code(site, environ):
    for words in (("plan", "WS221"), ("push", "WS221")):
        ended = wb(environ, *words)
        assert ended.returncode != 0
        assert ended.stdout.startswith("WS221 is not staged on wb-dev; "), ended
        assert len(ended.stdout.splitlines()) == 1


def test_a_dry_run_changes_nothing_and_is_the_plan(ws221, environ):
    before = ws221.snapshot()
    ended = wb(environ, "push", "WS221", "--dry-run")

    assert ended.returncode == 0, ended
    assert ended.stdout.splitlines()[0] == "orch.push {build: WS221}"
    assert "would: 5 push the support databases" in ended.stdout
    assert ws221.snapshot() == before
