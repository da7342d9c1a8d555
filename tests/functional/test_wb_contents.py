"""wb_contents with a real AceDB, real MyISAM tables and real BLAST databases, sealed."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from acedbs import database
from databases import mariadb
from salt.exceptions import CommandExecutionError
from wbcore.names import Build

from lab import base
from lab.builds.workshop import Workshop

GENES, ROWS = 300, 1234
SEQUENCES = {"one": "ACGT" * 30, "two": "GATTACA" * 5, "three": "AC"}
LETTERS = sum(map(len, SEQUENCES.values()))


@pytest.fixture(scope="session")
def blast(tmp_path_factory):
    """Databases of these sequences: nucleotides in both formats, and proteins."""
    folder = tmp_path_factory.mktemp("blast")
    shop = Workshop(folder, base.layers())
    fasta = "".join(f">{name}\n{letters}\n" for name, letters in SEQUENCES.items())
    (folder / "all.fa").write_text(fasta)
    for name, kind, version in (("new", "nucl", "5"), ("old", "nucl", "4"), ("pep", "prot", "5")):
        shop.run(
            "makeblastdb", "-in", "/build/all.fa", "-dbtype", kind, "-title", f"{name} of WS221",
            "-blastdb_version", version, "-out", f"/build/{name}.WS221", "-logfile", "/dev/null",
        )  # fmt: skip
    (folder / "all.fa").unlink()
    return folder


@pytest.fixture
def pillar(pillar, programs):
    return {**pillar, "acedb": {**pillar["acedb"], "tace": str(programs / "bin/tace")}}


@pytest.fixture
def staged(layout, modules, programs, blast, tree):
    """WS221 staged, its tables loaded; a table of another database belongs to WS220."""
    database(programs, layout.kind("acedb") / "wormbase_WS221", "WS221", GENES)
    support = layout.kind("support") / "WS221"
    tree(support, {"gene/a": b"12345", "gene/deep/b": b"6", "gene/not.nin": b"no sequences"})
    shutil.copytree(blast, support / "blast/c_elegans")
    # Another volume of one of them.
    for suffix in ("nin", "nsq"):
        shutil.copy(blast / f"old.WS221.{suffix}", support / f"blast/two.00.{suffix}")
        shutil.copy(blast / f"old.WS221.{suffix}", support / f"blast/two.01.{suffix}")
    with mariadb(layout, modules) as sql:
        for name, rows in (("c_elegans_WS221", ROWS), ("clustal_WS220", 7)):
            sql(
                f"CREATE DATABASE {name}; USE {name}; CREATE TABLE fdata (n INT PRIMARY KEY);"
                f"INSERT INTO fdata SELECT seq FROM seq_1_to_{rows}; CREATE TABLE none (n INT);"
                "FLUSH TABLES"
            )
            layout.link(f"mysql/{name[:-6]}").symlink_to(name)
    return layout


def counted():
    names = ("blast/c_elegans/new.WS*", "blast/c_elegans/old.WS*", "blast/c_elegans/pep.WS*")
    return {
        "classes": {"Gene": GENES},
        "rows": {"c_elegans/fdata": ROWS, "c_elegans/none": 0, "clustal/fdata": 7,
                 "clustal/none": 0},
        "sequences": {**dict.fromkeys(names, 3), "blast/two": 6},
        "letters": {**dict.fromkeys(names, LETTERS), "blast/two": 2 * LETTERS},
    }  # fmt: skip


def test_measure_counts_a_sealed_build_once_and_changes_nothing_of_it(modules, staged):
    digest = modules["wb_build.seal"]("WS221")["digest"]
    measured = modules["wb_contents.measure"]("WS221")

    figures = measured["figures"]
    assert {kind: figures[kind] for kind in counted()} == counted()
    assert figures["files"] == {"support/gene": 3, "support/blast": len(_files(staged))}
    assert figures["bytes"]["support/gene"] == 6 + len(b"no sequences")
    assert modules["wb_build.survey"]("WS221")["changed"] == []
    assert modules["wb_build.seal"]("WS221")["digest"] == digest
    root = staged.kind("acedb") / "wormbase_WS221/database"
    assert not list(root.glob("readlocks/*"))

    # Asked for again it is read from where it was kept.
    record = staged.figures(Build(221))
    record.write_text(record.read_text().replace(f'"Gene": {GENES}', '"Gene": 5'))
    assert modules["wb_contents.measure"]("WS221")["figures"]["classes"] == {"Gene": 5}
    record.write_text("half of it")
    assert modules["wb_contents.measure"]("WS221") == measured


def _files(layout):
    folder = layout.kind("support") / "WS221/blast"
    return [path for path in folder.rglob("*") if path.is_file()]


def test_measure_of_a_build_that_is_sealed_anew_counts_anew(modules, staged, tree):
    modules["wb_build.seal"]("WS221")
    modules["wb_contents.measure"]("WS221")
    modules["wb_build.unseal"]("WS221")
    tree(staged.kind("support") / "WS221", {"gene/c": b"more"})
    modules["wb_build.seal"]("WS221")

    assert modules["wb_contents.measure"]("WS221")["figures"]["files"]["support/gene"] == 4


def test_measure_dry_counts_what_is_not_sealed_and_keeps_nothing(modules, staged):
    before = sorted(staged.root.rglob("*"))
    figures = modules["wb_contents.measure"]("WS221", dry=True)["figures"]

    assert {kind: figures[kind] for kind in counted()} == counted()
    assert sorted(staged.root.rglob("*")) == before
    modules["wb_build.seal"]("WS221")
    assert modules["wb_contents.measure"]("WS221", dry=True)["figures"] == figures
    assert not staged.figures(Build(221)).exists()


def test_measure_says_why_there_are_no_figures(modules, staged, tree):
    def missing(build, **how):
        told = modules["wb_contents.measure"](build, **how)
        assert told["figures"] == {}
        return told["missing"]

    assert missing("WS221") == "WS221 is not sealed here"
    tree(staged.kind("acedb"), {"wormbase_WS222/database/block1.wrm": b""})
    (staged.kind("support") / "WS222").mkdir()
    assert "not the newest build" in missing("WS221", dry=True)
    assert missing("WS223", dry=True)
    modules["wb_build.seal"]("WS221")
    (staged.kind("support") / "WS221/gene/a").write_bytes(b"other")
    assert missing("WS221") == "support/WS221/gene/a is not what was sealed"
    shutil.rmtree(staged.kind("support") / "WS221")
    assert missing("WS221") == "WS221 is not here any more"


def test_measure_keeps_its_figures_when_the_build_is_gone(modules, staged):
    modules["wb_build.seal"]("WS221")
    figures = modules["wb_contents.measure"]("WS221")["figures"]
    for kind, name in (("support", "WS221"), ("acedb", "wormbase_WS221")):
        shutil.rmtree(staged.kind(kind) / name)

    assert modules["wb_contents.measure"]("WS221")["figures"] == figures
    modules["wb_build.forget"]("WS221")
    assert not staged.figures(Build(221)).exists()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("acedb/wormbase_WS221/database/block1.wrm", "tace ended with"),
        ("mysql/c_elegans_WS221/fdata.MYI", "fdata.MYI can not be counted: it is not the index"),
        ("support/WS221/blast/c_elegans/new.WS221.nin", "new.WS221.nin can not be counted: it is"),
    ],
)
def test_measure_names_what_can_not_be_counted(modules, staged, path, says):
    kind, _, below = path.partition("/")
    (staged.kind(kind) / below).write_bytes(b"\0\0\0\x09" * 100)

    with pytest.raises(CommandExecutionError, match=says):
        modules["wb_contents.measure"]("WS221", dry=True)


def test_measure_without_tace_says_so(load, pillar, staged):
    modules = load("node", {**pillar, "acedb": {"tace": "/nowhere/tace"}})
    with pytest.raises(CommandExecutionError, match="/nowhere/tace could not be run"):
        modules["wb_contents.measure"]("WS221", dry=True)


def test_rows_are_those_that_myisamchk_tells(staged):
    index = staged.kind("mysql") / "c_elegans_WS221/fdata.MYI"
    told = subprocess.run(["myisamchk", "-d", index], capture_output=True, text=True, check=True)
    assert f"Data records:                   {ROWS}" in told.stdout
