"""Releases on the lab, one after another: the acceptance points of the first road.

Those that take ``builds`` go from build to build, so they stand in order: each begins with what the
one before left live.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import terminal
from glance import live, pool
from labclient import Lab
from site_of import (
    GENE,
    Partner,
    Visitors,
    answers,
    answers_of_all,
    commit,
    eventually,
    letters,
    links,
    next_build,
    pillar,
    tree,
    wait_for,
    whole,
)

RELEASE = ("salt-run", "state.orch", "orch.release")


@pytest.fixture(scope="module")
def builds(lab: Lab) -> dict[str, str]:
    """The live build, and the next ones, none of them staged yet."""
    number = int(next_build(lab).removeprefix("WS"))
    names = ("first", "landed", "beacon", "killed", "restarted", "letter")
    new = {name: f"WS{number + step}" for step, name in enumerate(names)}
    return {"live": live_build(lab), **new}


def test_a_dry_run_tells_the_plan_and_changes_nothing(lab: Lab, builds: dict[str, str]) -> None:
    lab.do("build", builds["first"])
    before = {node: tree(lab, node) for node in [*lab.serving, "wb-dev", "fe", "salt"]}
    done = lab.orch("release", {"build": builds["first"]}, test=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "canopus lacks" in done.stdout
    assert "would leave the pool" in done.stdout
    assert {node: tree(lab, node) for node in before} == before


def test_a_release_under_visitors_is_whole_on_every_node(lab: Lab, builds: dict[str, str]) -> None:
    build, untouched = builds["first"], "/usr/local/mysql/data/clustal"
    held = {node: lab.exec(node, "ls", "-lid", f"{untouched}/").stdout for node in lab.serving}
    with Visitors(lab) as visitors, Partner(lab) as partner:
        done = lab.orch("release", {"build": build})
    assert done.returncode == 0, done.stdout + done.stderr
    assert not visitors.mixed and not visitors.late and not visitors.failed
    assert not visitors.closed
    assert partner.asked and partner.apart < 1
    asked = answers_of_all(lab)
    assert {answer["release"].split("-")[0] for answer in asked} == {build}
    assert all(map(whole, asked))
    page = lab.http(GENE).body
    assert "daf-2" in page and build in page
    assert letters(lab, build) == 1
    assert {
        node: lab.exec(node, "ls", "-lid", f"{untouched}/").stdout for node in lab.serving
    } == held


def test_the_same_release_again_changes_nothing(lab: Lab) -> None:
    before = {node: tree(lab, node) for node in [*lab.serving, "wb-dev", "salt"]}
    done = lab.orch("release", {"build": live_build(lab)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "already live" in done.stdout
    assert {node: tree(lab, node) for node in before} == before


def test_a_minor_revision_changes_the_webapp_alone(lab: Lab) -> None:
    build = live_build(lab)
    was = live(lab)
    commit(lab, "date >> README")
    refused = lab.orch("release", {"build": build})
    assert refused.returncode == 80 and "minor: True" in refused.stdout
    before = {node: links(lab, node) for node in lab.web}
    seen = terminal.run([f"{lab.checkout}/bin/lab", "exec", "salt", "wb", "minor", build])
    last = [line.rstrip() for line in seen.screens[-1][1]]
    assert seen.code == 0, last
    assert seen.stillness("running") <= 2
    now = live(lab)
    assert f"{now} is live." in last and f"to go back to {was}: orch.rollback" in last
    assert now != was and int(now.rsplit("-", 1)[1]) == int(was.rsplit("-", 1)[1]) + 1
    for node, old in before.items():
        changed = {path for path, to in links(lab, node).items() if old.get(path) != to}
        assert changed == {"/usr/local/wormbase/website/production"}
    assert letters(lab, build) == 1
    software = lab.exec("wb-dev", "ls", "/usr/local/ftp/pub/wormbase/software").stdout
    assert was in software and now not in software


def test_going_back_brings_data_and_webapp(lab: Lab, builds: dict[str, str]) -> None:
    with Visitors(lab) as visitors, Partner(lab) as partner:
        first = lab.orch("rollback")
    assert first.returncode == 0, first.stdout + first.stderr
    assert not visitors.mixed and not visitors.failed and not visitors.closed
    assert partner.asked and partner.apart < 1
    second = lab.orch("rollback")
    assert second.returncode == 0, second.stdout + second.stderr
    asked = answers(lab)
    assert {answer["release"].split("-")[0] for answer in asked} == {builds["live"]}
    assert all(map(whole, asked))
    again = lab.orch("release", {"build": builds["first"]})
    assert again.returncode == 0, again.stdout + again.stderr
    assert letters(lab, builds["first"]) == 1


def test_the_canary_stops_a_webapp_that_fails_for_one_gene(lab: Lab) -> None:
    was, gene = live(lab), another_gene(lab)
    commit(lab, BROKEN.format(gene=gene))
    try:
        with (
            pillar(lab, "golive", canary_paths=["/version", f"/gene/{gene}"]),
            Visitors(lab) as visitors,
        ):
            done = lab.orch("release", {"build": live_build(lab), "minor": True})
    finally:
        commit(lab, "hg revert --quiet --all --rev .^")
    assert done.returncode == 81
    assert f"/gene/{gene} of {live_build(lab)}-" in done.stdout
    assert "answers 500 instead of 200" in done.stdout and "the site has not moved" in done.stdout
    assert set(visitors.seen) == {was} and not visitors.failed and not visitors.closed
    assert live(lab) == was and answers_of_all(lab)


def test_a_changed_build_is_refused(lab: Lab, builds: dict[str, str]) -> None:
    build = builds["landed"]
    lab.do("build", build)
    file = f"/usr/local/wormbase/databases/{build}/gene/more"
    shown = lab.orch("push", {"build": build}, test=True)
    assert shown.returncode == 0
    was = live(lab)
    # The push seals it.
    pushed = lab.orch("push", {"build": build})
    assert pushed.returncode == 0, pushed.stdout + pushed.stderr
    lab.exec("wb-dev", "sh", "-c", f"echo more > {file}")
    changed = lab.orch("release", {"build": build})
    assert changed.returncode == 80 and "gene/more" in changed.stdout
    lab.exec("wb-dev", "rm", file)
    assert live(lab) == was


def test_an_event_for_a_landed_build_releases_it(lab: Lab, builds: dict[str, str]) -> None:
    build = builds["landed"]
    assert lab.exec("salt", "salt", "wb-dev", "beacons.disable").returncode == 0
    ready = f"/usr/local/wormbase/builds/{build}/READY"
    event = ("salt-call", "event.send", "wormbase/build/ready")
    for words in (f"{{build: {build}}}", "{build: WS1}", "{build: ../x}"):
        assert lab.exec("wb-dev", *event, words).returncode == 0
    assert lab.exec("wb-dev", "touch", ready).returncode == 0
    lab.exec("wb-dev", *event, f"{{build: {build}}}")
    assert wait_for(lab, build)["cause"] == "event"


def test_a_build_that_lands_is_released_by_the_beacon(lab: Lab, builds: dict[str, str]) -> None:
    assert lab.exec("salt", "salt", "wb-dev", "beacons.enable").returncode == 0
    lab.do("build", builds["beacon"], "--land")
    assert wait_for(lab, builds["beacon"])["cause"] == "landed"
    downloads = "/usr/local/ftp/pub/wormbase/releases"
    for kind in ("production", "development"):
        link = lab.exec("wb-dev", "readlink", f"{downloads}/current-{kind}-release")
        assert link.stdout.strip() == builds["beacon"]


def test_a_purge_keeps_what_is_used(lab: Lab, builds: dict[str, str]) -> None:
    for build in (builds["beacon"], builds["landed"]):
        refused = lab.orch("purge", {"build": build})
        assert refused.returncode == 80 and "can not be purged" in refused.stdout
    done = lab.orch("purge", {"build": builds["first"]})
    assert done.returncode == 0, done.stdout + done.stderr
    for node in lab.serving:
        left = lab.exec(
            node, "find", "/usr/local", "-maxdepth", "5", "-name", f"*{builds['first']}*"
        )
        # What is left is a database that a later build was not rebuilt for, and is named.
        for path in left.stdout.split():
            assert path.startswith("/usr/local/mysql/data/"), path
            assert f"mysql/{path.rsplit('/', 1)[-1]}" in done.stdout
    assert lab.orch("purge", {"build": builds["first"], "local": True}).returncode == 0
    assert not lab.exec("wb-dev", "ls", f"/usr/local/wormbase/databases/{builds['first']}").stdout


def test_states_put_back_what_drifted_and_then_change_nothing(lab: Lab) -> None:
    apply = ("salt", "--out=json", "--static", "*", "state.apply")
    settled = lab.exec("salt", *apply)
    assert settled.returncode == 0, settled.stdout[-3000:]
    assert changes(lab, apply) == []
    lab.exec("wb-web1", "systemctl", "stop", "wormbase-starman")
    lab.exec("wb-web1", "ln", "-sfn", "wormbase_WS1", "/usr/local/wormbase/acedb/wormbase")
    lab.exec("wb-web1", "rm", "/etc/xinetd.d/acedb")
    production = "/usr/local/ftp/pub/wormbase/releases/current-production-release"
    lab.exec("wb-dev", "ln", "-sfn", "WS1", production)
    assert any("wb_download" in one for one in changes(lab, apply))
    eventually("xinetd has its file, out of the pool", lambda: nothing_is_due(lab))
    eventually("wb-web1 serves again", lambda: pool(lab) == lab.web)
    assert changes(lab, apply) == []
    assert lab.exec("wb-web1", "curl", "-sf", "http://127.0.0.1:5000/version").returncode == 0


def test_a_killed_run_is_taken_up(lab: Lab, builds: dict[str, str]) -> None:
    build = builds["killed"]
    lab.do("build", build)
    with begun(lab, build, "go_live"):
        lab.exec("salt", "pkill", "-9", "-f", "salt-run state.orch")
    with Visitors(lab, clients=2) as visitors:
        again = lab.orch("release", {"build": build})
    assert again.returncode == 0, again.stdout + again.stderr
    assert not visitors.mixed and not visitors.failed
    assert live(lab).startswith(build)


def test_a_master_that_restarts_in_go_live_breaks_nothing(lab: Lab, builds: dict[str, str]) -> None:
    build = builds["restarted"]
    lab.do("build", build)
    with Visitors(lab) as visitors, begun(lab, build, "go_live"):
        for verb in ("stop", "start"):
            assert lab.exec("salt", "systemctl", verb, "salt-master").returncode == 0
        again = lab.orch("release", {"build": build})
    assert again.returncode == 0, again.stdout + again.stderr
    assert live(lab).startswith(build)
    assert not visitors.mixed and not visitors.late and not visitors.failed


def test_a_letter_that_could_not_be_sent_is_sent_once(lab: Lab, builds: dict[str, str]) -> None:
    build = builds["letter"]
    lab.do("build", build)
    lab.exec("wb-dev", "systemctl", "stop", "exim4")
    failed = lab.orch("release", {"build": build})
    assert failed.returncode == 81 and live(lab).startswith(build)
    lab.exec("wb-dev", "systemctl", "start", "exim4")
    assert lab.orch("release", {"build": build}).returncode == 0
    assert lab.orch("release", {"build": build}).returncode == 0
    assert letters(lab, build) == 1


BROKEN = (
    """sed -i '/my (.self, .c, .id)/a die "broken" if $id eq "{gene}";' """
    "lib/WormBase/Web/Controller/Gene.pm"
)


def live_build(lab: Lab) -> str:
    """The build that is live."""
    return live(lab).split("-")[0]


def another_gene(lab: Lab) -> str:
    """A gene that has a page, and is not the one that the preflight asks for."""
    listed = f"/usr/local/wormbase/databases/{live(lab).split('-')[0]}/gene/*descriptions*"
    told = lab.exec("wb-dev", "sh", "-c", f"grep -oh 'WBGene[0-9]*' {listed} | head -20")
    genes = [gene for gene in told.stdout.split() if gene != "WBGene00000898"]
    return next(gene for gene in genes if lab.http(f"/gene/{gene}").status == 200)


@contextmanager
def begun(lab: Lab, build: str, step: str) -> Iterator[None]:
    """A release that has come to a step; it has ended, in whatever way, at the end."""
    words = [str(lab.checkout / "bin/lab"), "exec", "salt", *RELEASE, f"pillar={{build: {build}}}"]
    run = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if f"{step}: begins" in line:
            break
    yield
    run.communicate(timeout=300)


def nothing_is_due(lab: Lab) -> bool:
    """Whether no restart waits on wb-web1."""
    told = lab.exec("salt", "salt", "--out=json", "wb-web1", "wb_service.due")
    return bool(json.loads(told.stdout)["wb-web1"] == [])


def changes(lab: Lab, apply: tuple[str, ...]) -> list[str]:
    """What ``state.apply`` changed, as ``node: state``."""
    told = json.loads(lab.exec("salt", *apply).stdout)
    return [
        f"{node}: {state}"
        for node, states in told.items()
        for state, result in states.items()
        if result["changes"] or result["result"] is False
    ]
