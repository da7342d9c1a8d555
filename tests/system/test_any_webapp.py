"""A webapp is released as it is: without pages for us, by its own script, from a git checkout.

Every test leaves live what was live before it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from glance import at_work, live, pool
from labclient import Lab
from site_of import GENE, STAGING, Readers, commit, eventually, kill, pillar

SERVICE = "wormbase-starman"
BACK_SECONDS = 5
OWN_SCRIPT = {"start_script": "bin/starman-production.sh", "pid_file": "/tmp/production.pid"}
MAIN = f"""
systemctl is-active {SERVICE}
cat /proc/$(systemctl show --property=MainPID --value {SERVICE})/cmdline
"""
# Pages that the lab's webapp has for tests and people.
PAGES = "lib/WormBase/Web/Controller/Version.pm lib/WormBase/Web/Controller/Gene.pm"
# A history of git with more commits than Mercurial's will ever have here.
TO_GIT = f"""
set -e
cd {STAGING}
revision=$(hg identify --num)
hg files --print0 >/root/tracked
mv .hg /root/mercurial
git init --quiet --initial-branch=master
for number in $(seq $((1000 + revision))); do
    printf 'commit refs/heads/master\\ncommitter T <t@wb-dev> %s +0000\\ndata 0\\n' "$number"
done | git fast-import --quiet
git add --pathspec-from-file=/root/tracked --pathspec-file-nul
git -c user.name=T -c user.email=t@wb-dev commit --quiet --message='all of it'
git rev-list --count HEAD
"""
TO_MERCURIAL = f"""
cd {STAGING} && rm -rf .git /root/tracked && test -d /root/mercurial && mv /root/mercurial .hg
"""


@pytest.fixture(scope="module", autouse=True)
def front_page_alone(lab: Lab) -> Iterator[None]:
    """The webapp in staging has its front page alone, and only that is asked for."""
    try:
        with (
            without_pages(lab),
            pillar(lab, "webapp", check_paths={"/": "{release}"}),
            pillar(lab, "golive", canary_paths=["/"]),
        ):
            enforce(lab)
            yield
    finally:
        enforce(lab)


def test_a_webapp_that_has_no_page_for_us(lab: Lab) -> None:
    with released(lab):
        assert {lab.http(path).status for path in ("/version", GENE)} == {404}


def test_the_webapp_s_own_script_starts_it_and_nobody_notices(lab: Lab) -> None:
    with own_script(lab):
        with released(lab):
            assert serving(lab, "starman master")
            with Readers(lab) as visitors:
                assert kill(lab, "wb-web1", SERVICE, "main") < BACK_SECONDS
            # A client loses what was just being sent to it, and nothing else.
            assert len(visitors.failed) <= visitors.clients, visitors.failed
        assert serving(lab, "starman master")
    assert serving(lab, "start_server")


def test_a_git_checkout_has_its_number_of_commits_in_the_name(lab: Lab) -> None:
    with git_checkout(lab) as commits, released(lab) as release:
        assert release.rsplit("-", 1)[1] == commits


@contextmanager
def without_pages(lab: Lab) -> Iterator[None]:
    """The webapp in staging has no pages for tests and people; afterwards it has them again."""
    before = lab.exec("wb-dev", "hg", "--cwd", STAGING, "identify", "--num").stdout.strip()
    commit(lab, f"hg remove --quiet {PAGES}")
    try:
        yield
    finally:
        commit(lab, f"hg revert --quiet --rev {before} {PAGES}")


@contextmanager
def released(lab: Lab) -> Iterator[str]:
    """A minor revision is live; afterwards what was live before it."""
    was = live(lab)
    move(lab, "release", {"build": was.split("-")[0], "minor": True})
    now = live(lab)
    assert now != was and on_every_node(lab) == {now}
    try:
        yield now
    finally:
        move(lab, "rollback")
    assert live(lab) == was and on_every_node(lab) == {was}


def move(lab: Lab, name: str, pillar: dict[str, object] | None = None) -> None:
    """Run an orchestration that goes live under eight visitors, who notice nothing else."""
    with Readers(lab) as visitors:
        done = lab.orch(name, pillar)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not visitors.failed and not visitors.late and not visitors.closed
    assert len(visitors.seen) == 2 and visitors.seen[live(lab)]


def on_every_node(lab: Lab) -> set[str]:
    """The releases that the front pages of the web nodes name."""
    visitors = Readers(lab)
    return {visitors.release("/", lab.http("/", node=node, port=5000).body) for node in lab.web}


@contextmanager
def own_script(lab: Lab) -> Iterator[None]:
    """The webapp's own script starts it on every web node; the project's unit does afterwards."""
    try:
        with pillar(lab, "webapp", **OWN_SCRIPT):
            restarted(lab, "starman master")
            yield
    finally:
        restarted(lab, "start_server")


def restarted(lab: Lab, program: str) -> None:
    """The web nodes follow the pillar, one after the other, and visitors notice nothing."""
    with Readers(lab) as visitors:
        enforce(lab)
        eventually(f"{program} serves", lambda: serving(lab, program) and at_rest(lab))
    assert not visitors.failed and set(visitors.seen) == {live(lab)}


def at_rest(lab: Lab) -> bool:
    """Whether every web node serves, and nobody is at work, as on a node's restart."""
    return pool(lab) == lab.web and not at_work(lab)


def serving(lab: Lab, program: str) -> bool:
    """Whether on every web node this program is the first process of the unit, which is active."""
    told = [lab.exec(node, "sh", "-c", MAIN).stdout.replace("\0", " ") for node in lab.web]
    return all(one.startswith("active\n") and program in one for one in told)


def enforce(lab: Lab) -> None:
    """The web nodes bring themselves to what the pillar says now, as their schedule has them do."""
    nodes = ",".join(sorted(lab.web))
    words = ("salt", "--timeout=60", "--out=json", "--static", "-L", nodes, "wb_node.enforce")

    def done() -> bool:
        told = json.loads(lab.exec("salt", *words).stdout)
        return all(isinstance(one, dict) and "reports" in one for one in told.values())

    eventually("every web node has enforced its states", done)


@contextmanager
def git_checkout(lab: Lab) -> Iterator[str]:
    """Staging is a git checkout of the same files; the number of its commits."""
    # Mercurial's number was not used by an earlier test, so git's was not either.
    commit(lab, "date >> README")
    try:
        done = lab.exec("wb-dev", "sh", "-c", TO_GIT)
        assert done.returncode == 0, done.stderr
        yield done.stdout.strip()
    finally:
        assert lab.exec("wb-dev", "sh", "-c", TO_MERCURIAL).returncode == 0
