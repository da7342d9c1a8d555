"""The gate on contents on the lab: a build that is whole and wrong does not reach a node."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import kinds_of_tables
import pytest
from glance import live
from kinds_of_tables import TABLES
from labclient import Lab
from site_of import answers, answers_of_all, letters, links, next_build

DATA = "/usr/local/mysql/data"


@pytest.fixture(scope="module")
def wrong(lab: Lab) -> Iterator[str]:
    """The next build, which has lost half of AceDB's genes; two of its databases have tables of
    every kind, and three that can not be served."""
    build = next_build(lab)
    lab.do("build", build, "--lose-genes", "50")
    directory = f"c_elegans_{build}"
    rebuilt = lab.exec("wb-dev", "sh", "-c", f"cd {DATA} && ls -d *_{build}").stdout.split()
    other = next((name for name in rebuilt if name != directory), directory)
    assert sql(lab, "wb-dev", kinds_of_tables.statements("c_elegans", directory, other)) == ""
    packed = f"{DATA}/{directory}/packed.MYI"
    lab.exec("wb-dev", "sh", "-c", f"myisampack -s {packed} && myisamchk -rqs {packed}")
    assert sql(lab, "wb-dev", bad_tables(directory)) == ""
    lab.exec("wb-dev", "truncate", "--size=999", f"{DATA}/{directory}/crashed.MYD")
    yield build
    if live(lab).startswith(f"{build}-"):
        # Beside half of the genes the next build, which has all of them, would be held too.
        assert lab.orch("rollback").returncode == 0


def test_tables_that_can_not_be_served_are_refused_in_one_go(lab: Lab, wrong: str) -> None:
    before = {node: links(lab, node) for node in lab.serving}
    refused = lab.orch("release", {"build": wrong})
    assert refused.returncode != 0
    assert "wb-dev: 3 things are wrong" in refused.stdout
    for statement in (
        "run ALTER TABLE `{}`.`inno` ENGINE=MyISAM",
        "run REPAIR TABLE `{}`.`crashed`",
        "run ALTER TABLE `{}`.`dangling` UNION=(`{}`.`plain`)",
    ):
        directory = f"c_elegans_{wrong}"
        assert statement.format(directory, directory) in refused.stdout
    assert {node: links(lab, node) for node in lab.serving} == before
    drop = "inno, crashed, dangling"
    assert sql(lab, "wb-dev", f"USE c_elegans_{wrong}; DROP TABLE {drop}") == ""


def test_a_build_that_lost_its_genes_is_held_and_goes_live_once_accepted(
    lab: Lab, wrong: str
) -> None:
    was, before = live(lab), {node: links(lab, node) for node in lab.serving}
    dry = lab.orch("release", {"build": wrong}, test=True)
    assert dry.returncode != 0 and "AceDB objects of Gene" in dry.stdout
    assert not held(lab, wrong)

    refused = lab.orch("release", {"build": wrong})
    last = refused.stderr.strip().splitlines()[-1]
    assert refused.returncode != 0, refused.stdout
    assert f"orch.release {{build: {wrong}}} failed in check_contents" in last
    assert "AceDB objects of Gene" in last and f"wb_release.accept build={wrong}" in last
    assert "Traceback" not in refused.stdout + refused.stderr
    assert live(lab) == was and {node: links(lab, node) for node in lab.serving} == before
    assert {answer["release"] for answer in answers(lab)} == {was}
    for node in lab.serving:
        assert not lab.exec(node, "find", "/usr/local", "-name", f"*{wrong}*").stdout
    (said,) = held(lab, wrong)
    assert said.startswith(f"{wrong}: hold (the gate on contents: ")
    again = lab.orch("release", {"build": wrong})
    assert again.returncode != 0 and "is held by the gate on contents" in again.stdout

    lab.runner("wb_release.accept", f"build={wrong}", "reason=the dead genes were dropped")
    done = lab.orch("release", {"build": wrong})
    assert done.returncode == 0, done.stdout + done.stderr
    assert live(lab).startswith(f"{wrong}-")
    asked = answers_of_all(lab)
    assert {answer["acedb"] for answer in asked} == {wrong}
    (run,) = lab.runner("wb_release.history", "limit=1")
    figures = run["steps"]["check_contents"]
    assert any("Gene" in one for one in figures["outside"])
    assert figures["accepted"].endswith("the dead genes were dropped")
    assert letters(lab, wrong) == 1
    there = rows(lab, "wb-dev", wrong)
    assert there and all(rows(lab, node, wrong) == there for node in sorted(lab.serving))
    told = lab.exec("wb-dev", "grep", "-rhA6", f"What is new since {was.split('-')[0]}", MAIL)
    assert "MySQL databases rebuilt: " in told.stdout


def bad_tables(directory: str) -> str:
    """A table of InnoDB, one that is about to be broken, and a MERGE of one that is gone."""
    columns = f"{kinds_of_tables.COLUMNS}, KEY (n))"
    return f"""SET default_storage_engine = MyISAM; USE {directory};
    CREATE TABLE inno (n INT PRIMARY KEY) ENGINE=InnoDB;
    CREATE TABLE crashed {columns}; INSERT INTO crashed {kinds_of_tables.ROWS};
    CREATE TABLE lost {columns};
    CREATE TABLE dangling {columns} ENGINE=MERGE UNION=(plain, lost);
    DROP TABLE lost; FLUSH TABLES;"""


def sql(lab: Lab, node: str, statements: str) -> str:
    """What the server of a node answers its administrator."""
    client = ("mariadb", "--default-character-set=utf8mb4", "-BN", "-e", statements)
    done = lab.exec(node, *client)
    return done.stdout + done.stderr


def rows(lab: Lab, node: str, build: str) -> list[str]:
    """Digest of what a node answers for every kind of table."""
    asked = [f"SELECT * FROM c_elegans_{build}.`{name}` ORDER BY 1, 2" for name in TABLES]
    answered = [sql(lab, node, question) for question in asked]
    assert all("ERROR" not in answer and len(answer) > 500 for answer in answered), answered
    return [hashlib.sha256(answer.encode()).hexdigest() for answer in answered]


MAIL = "/var/mail/everybody/new"


def held(lab: Lab, build: str) -> list[str]:
    """What was said of a build and stands."""
    verdicts = map(str, lab.runner("wb_release.status")["verdicts"])
    return [one for one in verdicts if one.startswith(f"{build}: ")]
