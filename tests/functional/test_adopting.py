"""What others put on nodes is taken over where it lies: read, compared, repaired if asked for."""

from __future__ import annotations

import os
import shutil
import stat
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from databases import mariadb, readers
from salt.exceptions import CommandExecutionError
from wbcore.build.manifest import Manifest
from wbcore.datasets import Dataset
from wbcore.names import Build
from wbnode import read_only
from wbnode.build import myisam_index

ACEDB = "acedb/wormbase_WS220"
GENE, ONTOLOGY = "support/WS220/gene", "support/WS220/ontology"
TABLES, OLDER = "mysql/c_elegans_WS220", "mysql/clustal_WS219"
DATABASES = {"c_elegans": "c_elegans_WS220", "clustal": "clustal_WS219"}
RELEASE = "WS220-2010.12.21-0.02-1300"
WEBAPP = f"webapp/{RELEASE}"


@pytest.fixture
def sealed(site, stage):
    """WS220 as it is live on ``node``, sealed on ``wb-dev``, whose links lead to WS221."""
    layout = site.layout("wb-dev")
    stage(layout, "WS219", ("clustal",))
    stage(layout, "WS220")
    copy(site, ACEDB, GENE, ONTOLOGY, TABLES, OLDER)
    stage(layout, "WS221", ("c_elegans", "clustal"))
    return site.modules["wb-dev"]["wb_build.seal"]("WS220", databases=DATABASES)


def copy(site, *datasets, frm="wb-dev", to="node"):
    """Datasets as the old scripts' rsync brought them, with modes of their own."""
    for one in map(Dataset.parse, datasets):
        place = site.layout(to).dataset(one)
        shutil.copytree(site.layout(frm).dataset(one), place, symlinks=True)
        for path in place.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(0o600)


def live(site, node="node"):
    """The tables are live on a node."""
    (site.layout(node).kind("mysql") / "c_elegans").symlink_to("c_elegans_WS220")


def place(site, dataset, node="node") -> Path:
    return site.layout(node).dataset(Dataset.parse(dataset))


def adopt(site, sealed, *datasets, repair=False, sources=("wb-dev",)):
    wanted = list(datasets or sealed["datasets"])
    manifests = {sealed["name"]: {"digest": sealed["digest"], "datasets": wanted}}
    return site.modules["node"]["wb_dataset.adopt"](manifests, site.sources(*sources), repair)


def held(site):
    return set(site.modules["node"]["wb_dataset.held"]())


def everything(site):
    """(inode, size, time of change) of every path of the node's datasets."""
    roots = [site.layout("node").kind(kind) for kind in ("acedb", "mysql", "support")]
    paths = [path for root in roots for path in root.rglob("*")]
    return {path: (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in paths}


def test_what_is_right_is_taken_over_where_it_lies(site, sealed):
    before = everything(site)
    told = adopt(site, sealed)

    assert held(site) == set(sealed["datasets"]) == set(told["datasets"])
    assert told["received"] == 0
    for one in told["datasets"].values():
        assert (one["faults"], one["error"], one["already"]) == (0, "", False)
    assert everything(site) == before
    table = (place(site, TABLES) / "features.MYD").stat()
    assert stat.S_IMODE(table.st_mode) == 0o444
    assert stat.S_IMODE((place(site, ACEDB) / "database/block1.wrm").stat().st_mode) == 0o666


def test_a_second_time_nothing_is_read(site, sealed):
    adopt(site, sealed)
    # Reading it would tell.
    spoil(place(site, ONTOLOGY) / "deep/er/file")
    told = adopt(site, sealed)

    assert all(one["already"] and not one["faults"] for one in told["datasets"].values())


def test_the_databases_are_those_that_are_live_and_not_those_that_links_lead_to(site, sealed):
    assert sealed["databases"] == DATABASES
    assert {TABLES, OLDER} <= set(sealed["datasets"])
    assert "mysql/c_elegans_WS221" not in sealed["datasets"]
    survey = site.modules["wb-dev"]["wb_build.survey"]("WS221", databases=DATABASES)
    assert survey["databases"] == DATABASES


def test_a_live_database_that_wb_dev_lacks_is_named_with_its_place(site, sealed):
    survey = site.modules["wb-dev"]["wb_build.survey"]
    problems = survey("WS221", databases={**DATABASES, "pmap": "pmap_WS210"})["problems"]
    there = site.layout("wb-dev").kind("mysql") / "pmap_WS210"
    assert problems == [f"mysql/pmap_WS210 is live and is not here; copy it to {there}"]


def spoil(path: Path) -> None:
    """One byte, with size and time as before."""
    about = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def differing(site) -> dict[str, list[str]]:
    """Damage of every kind; what has to be told of each dataset."""
    spoil(place(site, TABLES) / "features.MYD")
    (place(site, ONTOLOGY) / "deep/empty").unlink()
    (place(site, ONTOLOGY) / "latest").unlink()
    (place(site, ONTOLOGY) / "latest").symlink_to("deep")
    (place(site, ONTOLOGY) / "none").rmdir()
    (place(site, ONTOLOGY) / "list of mine").write_bytes(b"extra")
    shutil.rmtree(place(site, GENE))
    return {
        TABLES: ["features.MYD"],
        ONTOLOGY: ["deep/empty", "latest", "none"],
        GENE: ["list"],
    }


def test_what_differs_is_named_and_left_as_it_is(site, sealed):
    wrong = differing(site)
    before = everything(site)
    told = adopt(site, sealed)["datasets"]

    assert {one: facts["shown"] for one, facts in told.items() if facts["faults"]} == wrong
    assert held(site) == set(sealed["datasets"]) - set(wrong)
    assert everything(site) == before
    assert stat.S_IMODE((place(site, TABLES) / "features.MYD").stat().st_mode) == 0o600
    assert (told[ONTOLOGY]["extra"], told[ONTOLOGY]["shown_extra"]) == (1, ["list of mine"])


def test_repair_fetches_what_differs_and_leaves_what_nobody_sealed(site, sealed):
    wrong = differing(site)
    block = (place(site, ACEDB) / "database/block1.wrm").stat().st_ino
    told = adopt(site, sealed, repair=True)

    assert {one for one, facts in told["datasets"].items() if facts["repaired"]} == set(wrong)
    assert {told["datasets"][one]["source"] for one in wrong} == {"wb-dev"}
    assert 0 < told["received"] < 20_000
    assert held(site) == set(sealed["datasets"])
    assert (place(site, ONTOLOGY) / "list of mine").read_bytes() == b"extra"
    (place(site, ONTOLOGY) / "list of mine").unlink()
    manifest = Manifest.parse(site.layout("wb-dev").manifest(Build(220)).read_bytes(), Build(220))
    for dataset in wrong:
        shown = differences(manifest.of(Dataset.parse(dataset)), place(site, dataset))
        assert shown == []
    assert (place(site, ACEDB) / "database/block1.wrm").stat().st_ino == block
    assert adopt(site, sealed)["received"] == 0


def differences(contents, root: Path) -> list[str]:
    """Paths below a directory that are not as sealed, by other means than the project's."""
    files = {path: (root / path).read_bytes() for path in contents.files}
    sizes = [path for path, file in contents.files.items() if len(files[path]) != file.size]
    targets = [path for path, to in contents.links.items() if os.readlink(root / path) != to]
    folders = [path for path in contents.folders if not (root / path).is_dir()]
    return [*sizes, *targets, *folders]


def test_the_server_of_a_live_database_that_was_repaired_follows(site, sealed):
    live(site)
    with mariadb(site.layout("node"), site.modules["node"]) as sql:
        sql("CREATE TABLE c_elegans.mine (n INT)")
        assert sql("SELECT n FROM c_elegans.mine") == ([], "")
        before, _ = sql("SHOW GLOBAL STATUS LIKE 'Com_flush'")
        spoil(place(site, TABLES) / "features.MYD")
        assert adopt(site, sealed, TABLES, repair=True)["datasets"][TABLES]["repaired"]
        after, _ = sql("SHOW GLOBAL STATUS LIKE 'Com_flush'")
        assert after != before


# A connection needs the table twice at once, by both names of its database.
TWICE = """SELECT COUNT(*) FROM c_elegans.genes a JOIN c_elegans.genes b USING (n);
SELECT COUNT(*) FROM c_elegans_WS220.genes a JOIN c_elegans.genes b USING (n)"""


@contextmanager
def serving(site, node):
    """MariaDB as its own user, who has to heed the modes of files."""
    with mariadb(site.layout(node), site.modules[node], by="mysql") as sql:
        os.chown(site.layout(node).kind("mysql") / ".incoming", 0, 0)
        yield sql


def test_nobody_is_refused_while_live_tables_become_read_only(site, stage):
    stage(site.layout("wb-dev"), "WS220", ())
    with serving(site, "wb-dev") as sql:
        table = "c_elegans_WS220; USE c_elegans_WS220; CREATE TABLE genes (n INT);"
        rows = f"CREATE DATABASE {table} INSERT INTO genes SELECT seq FROM seq_1_to_9"
        assert sql(rows) == ([], "")
        live(site, "wb-dev")
        with readers(site.layout("wb-dev"), TWICE) as refused:
            time.sleep(0.2)
            sealed = site.modules["wb-dev"]["wb_build.seal"](
                "WS220", databases={"c_elegans": "c_elegans_WS220"}
            )
            time.sleep(0.2)
        assert refused == []
        assert "read only" in sql("INSERT INTO c_elegans.genes VALUES (10)")[1]
    copy(site, *sealed["datasets"])
    live(site)
    with serving(site, "node") as sql:
        with readers(site.layout("node"), TWICE) as refused:
            time.sleep(0.2)
            told = adopt(site, sealed)["datasets"]
            time.sleep(0.2)
        assert refused == []
        assert not any(one["error"] or one["faults"] for one in told.values())
        assert "read only" in sql("INSERT INTO c_elegans.genes VALUES (10)")[1]


def test_what_a_killed_takeover_left_can_be_opened_again_afterwards(site, sealed):
    live(site)
    with serving(site, "node") as sql:
        table = place(site, TABLES) / "genes.MYD"
        rows = "USE c_elegans_WS220; CREATE TABLE genes (n INT) ENGINE=MyISAM;"
        assert sql(f"{rows} INSERT INTO genes VALUES (1)") == ([], "")
        assert sql("SELECT COUNT(*) FROM c_elegans.genes") == (["1"], "")
        for path in table.parent.glob("genes.*"):
            path.chmod(0o444)
        assert "Permission denied" in sql(TWICE)[1]
        assert not adopt(site, sealed, TABLES)["datasets"][TABLES]["error"]
        assert sql(TWICE) == (["1", "1"], "")


def test_a_table_that_somebody_reads_for_long_is_named(site, sealed, monkeypatch):
    monkeypatch.setattr(read_only, "_LONGEST_SECONDS", 0)
    live(site)
    with serving(site, "node") as sql:
        assert sql("CREATE TABLE c_elegans_WS220.mine (n INT)") == ([], "")
        reader = threading.Thread(
            target=sql, args=["SELECT COUNT(*), SLEEP(9) FROM c_elegans.mine"]
        )
        reader.start()
        time.sleep(0.5)
        told = adopt(site, sealed, TABLES, OLDER)["datasets"]
        reader.join()
    assert "somebody has been reading `c_elegans_WS220`.`mine`" in told[TABLES]["error"]
    assert not told[OLDER]["error"]


def test_a_server_that_does_not_follow_is_named(site, sealed):
    live(site)
    spoil(place(site, TABLES) / "features.MYD")
    told = adopt(site, sealed, repair=True)["datasets"]

    assert "look at MariaDB" in told[TABLES]["error"]
    assert not told[OLDER]["error"]


def test_one_dataset_that_can_not_be_taken_over_keeps_no_other_from_it(site, sealed):
    table = place(site, TABLES) / "features.MYD"
    os.link(table, table.with_name("features.MYD.bak"))
    os.chown(table, 12345, 12345)
    told = adopt(site, sealed)["datasets"]

    assert "has a second name elsewhere" in told[TABLES]["error"]
    assert held(site) == set(sealed["datasets"]) - {TABLES}


def test_a_takeover_without_its_source_fails_before_anything_is_touched(site, sealed):
    site.stop("wb-dev")
    with pytest.raises(CommandExecutionError, match="the manifest of WS220 could not be fetched"):
        adopt(site, sealed)
    assert held(site) == set()


def test_indexes_of_what_is_live_keep_their_bytes(site, stage):
    layout, modules = site.layout("wb-dev"), site.modules["wb-dev"]
    stage(layout, "WS220", ())
    with mariadb(layout, modules) as sql:
        made = sql(
            "CREATE DATABASE c_elegans_WS220; USE c_elegans_WS220;"
            "CREATE TABLE genes (n INT PRIMARY KEY, t VARCHAR(20), KEY (t));"
            "INSERT INTO genes SELECT seq * 7 % 100003, CONCAT('gene ', seq) FROM seq_1_to_50000"
        )
        assert made == ([], "")
        sql("FLUSH TABLES")
        index = layout.kind("mysql") / "c_elegans_WS220/genes.MYI"
        # Sealing a new build would bring it into another form.
        assert not myisam_index.can_be_made(index)
        before = index.read_bytes()
        sealed = modules["wb_build.seal"]("WS220", databases={"c_elegans": "c_elegans_WS220"})
    assert index.read_bytes() == before
    copy(site, *sealed["datasets"])
    assert not any(one["faults"] for one in adopt(site, sealed)["datasets"].values())


def test_wb_dev_gets_the_webapp_from_a_node_that_serves_it(site, tree):
    root = site.layout("node").website / RELEASE
    tree(root, {"script/wormbase_psgi.psgi": b"1;", "logs/error.log": b"x", "VERSION.txt": b"y"})
    (root / "script/wormbase_psgi.psgi").chmod(0o755)
    wb_dev = site.modules["wb-dev"]
    assert wb_dev["wb_dataset.present"]([WEBAPP]) == []
    there = site.modules["node"]["wb_build.seal"](RELEASE)
    site.serve("node")
    order = (RELEASE, there["digest"], [WEBAPP], site.sources("node"))
    wb_dev["wb_dataset.pull"](*order)

    assert wb_dev["wb_dataset.present"]([WEBAPP]) == [WEBAPP]
    sealed = wb_dev["wb_build.seal"](RELEASE)
    assert sealed["digest"] == there["digest"]
    told = adopt(site, sealed)["datasets"][WEBAPP]
    assert (told["faults"], told["extra"]) == (0, 0)
    assert (root / "logs/error.log").read_bytes() == b"x"
    assert os.access(place(site, WEBAPP, "wb-dev") / "script/wormbase_psgi.psgi", os.X_OK)
