"""The lab's webapp: its own start script knows one port, one place and no pillar."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from websites import make_staging

from lab.webapp import extlib

RELEASE = "WS221-2010.12.24-0.02-1"
# In namespaces of its own: the scripts know the real paths and the real port.
WORLD = """
set -e
ip link set lo up
mount -t tmpfs tmpfs /usr/local
mkdir -p /usr/local/wormbase/website
cp -a "$1" /usr/local/wormbase/website/
mount -t tmpfs tmpfs /tmp
cd /usr/local/wormbase/website
ln -s "$(basename "$1")" production
cd production
page() { perl -MHTTP::Tiny -e '$r = HTTP::Tiny->new->get("http://127.0.0.1:5000$ARGV[0]");
    print "$r->{status} $r->{content}\\n"' "$1"; }
export PORT=6000 WORKERS=9 APP=staging
. ./wormbase.env
"""


def play(release: Path, script: str) -> str:
    """What a script prints that runs beside a live release, in a world of its own."""
    words = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child"]
    words += ["--mount-proc", "bash", "-c", WORLD + script, "bash", str(release)]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def release(modules, layout, tmp_path) -> Path:
    extlib.unpack(tmp_path / "extlib")
    make_staging(layout.staging, tmp_path / "extlib")
    modules["wb_webapp.assemble"](RELEASE)
    return layout.website / RELEASE


def test_its_own_script_starts_and_stops_it(release):
    said = play(
        release,
        """
        bin/starman-production.sh start; page /
        first=$(cat /tmp/production.pid)
        bin/starman-production.sh restart; page /
        [ "$first" != "$(cat /tmp/production.pid)" ] && echo another
        bin/starman-production.sh stop; page /
        bin/starman-production.sh status || echo "status $?"
        """,
    )
    assert said.count("200 <!DOCTYPE html>") == 2 and "another" in said
    assert "599 Could not connect" in said and "status 1" in said


def test_the_front_page_names_the_release_and_its_build(release):
    said = play(release, "bin/starman-production.sh start; page /")
    assert f'<span id="release">{RELEASE}</span>' in said
    assert '<span id="build">WS221</span>' in said


def test_pages_for_tests_and_people_can_be_removed(release):
    for name in ("Gene", "Version"):
        (release / f"lib/WormBase/Web/Controller/{name}.pm").unlink()
    said = play(release, "bin/starman-production.sh start; page /; page /version; page /gene/x")
    assert said.count("200 ") == 1 and said.count("404 There is no such page.") == 2


def test_a_database_that_does_not_answer_is_told_in_one_sentence(release):
    said = play(release, "bin/starman-production.sh start; page /version")
    assert "503 AceDB does not answer: " in said
