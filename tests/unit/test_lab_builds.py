"""Builds made from real data: what they follow from, and how they are staged."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.builds import acedb, blast, databases, into, tables
from lab.builds.facts import facts_of
from lab.builds.genes import DAF_2, Step, compared, genes_of
from lab.builds.letter import letter
from lab.builds.making import ACEDB, MYSQL, NOTES, RECIPE, SUPPORT, recipe
from lab.builds.sources import RealGene, read_fasta, read_genes
from lab.builds.staging import Staging
from lab.command import LabError

REAL = [
    RealGene(
        f"WBGene{n:08}",
        f"abc-{n}",
        f"ZK{n}.1",
        "protein_coding_gene",
        ("Cell", "Cell: x"),
        f"abc-{n} is an ortholog of human ABC{n}.",
    )
    for n in range(1, 4001)
]
SCALE = 0.3
lineages = st.lists(
    st.builds(Step, st.integers(1, 999), st.integers(0, 99)), min_size=1, max_size=5
).map(tuple)


def lineage(*numbers: int, seed: int = 1) -> tuple[Step, ...]:
    return tuple(Step(number, seed) for number in numbers)


@settings(deadline=None, max_examples=30)
@given(lineages, st.floats(0.001, 0.4))
def test_daf_2_is_in_every_build(steps, scale):
    assert DAF_2 in {gene.id for gene in genes_of(REAL, steps, scale)}


def test_daf_2_names_every_build():
    for last in (220, 221, 222):
        steps = lineage(*range(220, last + 1))
        facts = facts_of(genes_of(REAL, steps, SCALE))
        rows = [row for row in tables.features(facts) if row[1] == DAF_2]
        assert rows[0][2] == "gene"
        assert f"WS{last}" in rows[0][-1]


def test_genes_of_the_same_seed_are_the_same():
    steps = lineage(220, 221, seed=7)
    assert genes_of(REAL, steps, SCALE) == genes_of(REAL, steps, SCALE)
    assert genes_of(REAL, steps, SCALE) != genes_of(REAL, lineage(220, 221, seed=8), SCALE)


def test_genes_of_the_next_build_differ_by_a_few_percent():
    before = genes_of(REAL, lineage(220), SCALE)
    after = genes_of(REAL, lineage(220, 221), SCALE)
    kinds = [kind for _, kind in compared(before, after)]
    assert 0.02 < kinds.count("changed") / len(before) < 0.045
    assert 0.001 < kinds.count("added") / len(before) < 0.02
    assert 0.001 < kinds.count("gone") / len(before) < 0.01


def test_a_larger_scale_has_the_same_genes_and_more():
    small, large = (genes_of(REAL, lineage(220, 221), scale) for scale in (0.1, 0.3))
    assert set(small) < set(large)


def test_a_scale_beyond_the_real_genes_copies_them():
    genes = genes_of(REAL[:100], lineage(220), 0.05)
    assert len({gene.id for gene in genes}) == len(genes) > 400


def test_what_is_said_of_a_gene_stays_until_it_changes():
    before = facts_of(genes_of(REAL, lineage(220), SCALE))
    after = {one.gene: one for one in facts_of(genes_of(REAL, lineage(220, 221), SCALE))}
    same = [(one, after[one.gene]) for one in before if one.gene in after]
    assert len(same) > 0.9 * len(before)
    moved = sum(old.interactions != new.interactions for old, new in same)
    assert moved < 0.1 * len(same)
    for old, new in same:
        assert (old.exons, old.description, old.orthologs, old.expression) == (
            new.exons, new.description, new.orthologs, new.expression)  # fmt: skip


def test_ids_are_counted_anew_in_every_build():
    facts = facts_of(genes_of(REAL, lineage(220, 221), SCALE))
    numbers = [row[0] for row in tables.features(facts)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_first_build_has_all_databases_and_a_next_one_some():
    assert set(databases.rebuilt(lineage(220))) == set(databases.NAMES)
    assert len(databases.NAMES) == 14
    touched = set()
    for last in (221, 222, 223):
        some = databases.rebuilt(lineage(*range(220, last + 1)))
        assert databases.ELEGANS in some
        assert 1 < len(some) < 10
        touched |= set(some)
    assert {"clustal", "h_contortus"}.isdisjoint(touched)


@pytest.mark.parametrize("database", databases.NAMES)
def test_every_database_tells_its_build(database):
    facts = facts_of(genes_of(REAL, lineage(221), 0.01))
    meta = tables.tables_of(database, lineage(221), facts)[0]
    assert ("build", "WS221") in list(meta.rows)


def test_read_genes_joins_descriptions_and_leaves_out_the_dead():
    lines = ["6239,WBGene1,daf-2,Y55D5A.5,Live,protein_coding_gene",
             "6239,WBGene2,,,Dead,gene", "6239,WBGene3,,R52.2,Live,ncRNA_gene"]  # fmt: skip
    described = [{"Wormbase ID": "WBGene1", "Category 1": "Stress", "Category 2": "Stress",
                  "Category 3": "Stress: dauer", "Automated Description": "is a\\; b"}]  # fmt: skip
    first, second = read_genes(lines, described)
    assert (first.categories, first.description) == (("Stress", "Stress: dauer"), "is a; b")
    assert (second.id, second.public_name, second.description) == ("WBGene3", "R52.2", "")


@given(st.text("ACGT", min_size=1, max_size=99))
def test_two_bit_holds_the_sequence(bases):
    content = blast.two_bit({"I": bases})
    at = struct.unpack_from("<I", content, 16 + 2)[0]
    (size,) = struct.unpack_from("<I", content, at)
    packed = content[at + 16 :]
    letters = ["TCAG"[byte >> shift & 3] for byte in packed for shift in (6, 4, 2, 0)]
    assert "".join(letters)[:size] == bases


def test_corrected_changes_one_base_a_build_and_sequence():
    genome = read_fasta(">I x\nACGTACGT\nACGT\n>II\nTTTT\n")
    assert blast.corrected(genome, lineage(220)) == genome
    changed = blast.corrected(genome, lineage(220, 221))
    for name, bases in genome.items():
        assert sum(a != b for a, b in zip(bases, changed[name], strict=True)) == 1


def test_without_loses_so_many_genes_and_all_that_names_them():
    facts = facts_of(genes_of(REAL, lineage(220), SCALE))
    left = acedb.without(facts, "WS221", 50)
    known = {one.gene.id for one in left}
    assert 0.45 < len(left) / len(facts) < 0.55 and DAF_2 in known
    assert {found.partner for one in left for found in one.interactions} <= known
    assert [one.gene for one in acedb.without(facts, "WS221", 0)] == [one.gene for one in facts]
    assert [one.gene.id for one in acedb.without(facts, "WS221", 100)] == [DAF_2]


def test_into_refuses_to_lose_more_than_all(staging):
    with pytest.raises(LabError, match="from 0 to 100 percent of its genes, not 101"):
        into(staging.root, "WS220", lost=101)


def test_letter_tells_what_changed():
    steps = lineage(220, 221)
    before, after = (genes_of(REAL, some, SCALE) for some in (steps[:1], steps))
    text = letter(steps, before, after)
    assert text.startswith("New release of WormBase WS221")
    assert "Since WS220:" in text
    assert DAF_2 in text


@pytest.fixture
def staging(tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    for table in ("passwd", "group"):
        (root / "etc" / table).write_text(f"mysql:x:{os.getuid()}:{os.getgid()}\n")
    return Staging(root)


def made(directory: Path, steps: tuple[Step, ...], text: str = "x") -> Path:
    build = steps[-1].build
    for name in (f"{ACEDB}/database/block1.wrm", f"{MYSQL}/c_elegans_{build}/meta.MYD",
                 f"{SUPPORT}/gene/a.txt", f"{NOTES}/letter.{build}"):  # fmt: skip
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (directory / NOTES / RECIPE).write_text(recipe(steps, 2))
    return directory


def test_put_stages_a_build_and_its_links(staging, tmp_path):
    staging.put(made(tmp_path / "made", lineage(220)), "WS220")
    local = staging.root / "usr/local"
    assert (local / "wormbase/acedb/wormbase/database/block1.wrm").read_text() == "x"
    assert os.readlink(local / "mysql/data/c_elegans") == "c_elegans_WS220"
    assert (local / "mysql/data/c_elegans_WS220").stat().st_mode & 0o7777 == 0o2775
    assert (local / "wormbase/databases/WS220/gene/a.txt").exists()
    assert (local / "wormbase/builds/WS220/letter.WS220").exists()
    assert (local / "ftp/pub/wormbase/releases/WS220/letter.WS220").exists()
    assert not (local / "wormbase/builds/WS220/READY").exists()


def test_put_leaves_alone_what_is_as_it_was_made(staging, tmp_path):
    directory = made(tmp_path / "made", lineage(220))
    block = staging.root / "usr/local/wormbase/acedb/wormbase_WS220/database/block1.wrm"
    staging.put(directory, "WS220")
    staging.land("WS220")
    inode = block.stat().st_ino
    staging.put(directory, "WS220")
    assert block.stat().st_ino == inode
    ready = staging.root / "usr/local/wormbase/builds/WS220/READY"
    assert ready.exists()
    block.write_text("damaged")
    staging.put(directory, "WS220")
    assert block.read_text() == "x"
    assert not ready.exists()


def test_put_leaves_an_index_that_sealing_brought_into_another_form(staging, tmp_path):
    directory = made(tmp_path / "made", lineage(220))
    name = "c_elegans_WS220/meta.MYI"
    (directory / MYSQL / name).write_text("as it was loaded")
    staging.put(directory, "WS220")
    index = staging.root / "usr/local/mysql/data" / name
    index.write_text("as myisamchk makes it")
    staging.put(directory, "WS220")
    assert index.read_text() == "as myisamchk makes it"
    index.unlink()
    staging.put(directory, "WS220")
    assert index.exists()


def test_previous_is_the_newest_older_build(staging, tmp_path):
    assert staging.previous(220) == ((), None)
    for last in (220, 221):
        steps = lineage(*range(220, last + 1))
        staging.put(made(tmp_path / f"made{last}", steps), f"WS{last}")
    assert staging.previous(222) == (lineage(220, 221), 2)
    assert staging.previous(221) == (lineage(220), 2)


def test_into_refuses_an_older_build_and_no_build(staging, tmp_path):
    staging.put(made(tmp_path / "made", lineage(221)), "WS221")
    with pytest.raises(LabError, match="WS220 is older"):
        into(staging.root, "WS220")
    for name in ("WS", "ws221", "../WS221", "WS0"):
        with pytest.raises(LabError, match="not the name of a build"):
            into(staging.root, name)
