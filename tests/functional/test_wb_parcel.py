"""Builds travel as patches: made by real programs from real tables, fetched, applied, checked."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import subprocess

import pytest
from databases import mariadb
from test_wb_dataset import contents, place, same_as_on_wb_dev
from wbcore.build.manifest import Manifest
from wbcore.datasets import Dataset
from wbcore.names import Build
from wbcore.transport.meter import Meter
from wbcore.transport.parcels import Parcel, name_of
from wbnode.transport import progress

TABLES = "mysql/c_elegans_WS221"
ONTOLOGY = "support/WS221/ontology"
BUILDS = ("WS220", "WS221")


@pytest.fixture
def pillar(pillar):
    """``wb-dev`` stands at one site, the nodes that fetch at another."""
    nodes = {
        node: {"address": "127.0.0.1", "site": site, "roles": roles}
        for node, site, roles in (
            ("wb-dev", "local", ["staging"]),
            ("node", "remote", ["acedb", "mysql", "support"]),
            ("relay", "remote", ["acedb", "mysql", "support"]),
        )
    }
    return {**pillar, "nodes": nodes}


@pytest.fixture(scope="session")
def rows():
    """Rows of a table in two builds: some changed, some added, all renumbered."""
    chance = random.Random(7)
    old = [(f"WBGene{chance.randrange(10**8):08}", chance.randrange(10**6)) for _ in range(9000)]
    new = [one for one in old if chance.random() > 0.02]
    new.insert(10, ("WBGene00000898", 1))
    return {"WS220": old, "WS221": new}


@pytest.fixture
def sealed(site, stage, rows):
    """WS220 and WS221 on ``wb-dev``, with a real table; the answers of their sealing."""
    modules, layout = site.modules["wb-dev"], site.layout("wb-dev")
    answers = {}
    with mariadb(layout, modules) as sql:
        for build in BUILDS:
            stage(layout, build, rebuilt=())
            load_table(sql, f"c_elegans_{build}", rows[build])
            # Whoever gives files here is not the server's own user.
            folder = layout.kind("mysql") / f"c_elegans_{build}"
            folder.chmod(0o755)
            for file in folder.iterdir():
                file.chmod(0o644)
            link = layout.kind("mysql") / "c_elegans"
            link.unlink(missing_ok=True)
            link.symlink_to(f"c_elegans_{build}")
            answers[build] = modules["wb_build.seal"](build)
            # A copy, since a server that is root writes into tables that it only looks at.
            shutil.copytree(folder, folder.with_name(f"copy_{build}"))
            told, wrong = sql(f"CHECK TABLE copy_{build}.genes EXTENDED")
            assert told[-1].endswith("OK") and not wrong
            found, _ = sql(f"SELECT at FROM copy_{build}.genes WHERE at > 5")
            assert len(found) > 8000
            shutil.rmtree(folder.with_name(f"copy_{build}"))
    return answers


def load_table(sql, database, rows):
    values = ",".join(f"({n}, '{gene}', {at})" for n, (gene, at) in enumerate(rows))
    _, wrong = sql(
        f"CREATE DATABASE {database}; CREATE TABLE {database}.genes (id INT PRIMARY KEY,"
        "gene VARCHAR(20) NOT NULL, at INT NOT NULL, KEY (gene, at), KEY (at));"
        f"INSERT INTO {database}.genes VALUES {values}"
    )
    assert not wrong


@pytest.fixture
def pull(site, sealed):
    """Pulls a whole build."""

    def pull(build="WS221", node="node", sources=("wb-dev",)):
        return site.modules[node]["wb_dataset.pull"](
            build, sealed[build]["digest"], list(sealed[build]["datasets"]), site.sources(*sources)
        )

    return pull


@pytest.fixture
def make(site, sealed):
    """Makes the parcels of WS221 from WS220, as the master asks for them."""

    def make():
        wanted = []
        for dataset in sealed["WS221"]["datasets"]:
            base = dataset.replace("WS221", "WS220")
            digest = sealed["WS220"]["datasets"][base]["digest"]
            wanted.append({"dataset": dataset, "base": base, "digest": digest})
        return site.modules["wb-dev"]["wb_parcel.make"]("WS221", wanted)

    return make


def received(answer):
    return sum(one["received"] for one in answer["datasets"].values())


def parts(site, node="wb-dev"):
    return sorted(site.layout(node).parcels.glob("WS221/*.part"), key=lambda p: p.stat().st_size)


def flip(path, at=-9):
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_a_build_travels_as_patches_and_is_the_same_byte_for_byte(site, sealed, pull, make):
    pull("WS220")
    made = make()
    assert made["without"] == {}
    whole = sum(one["bytes"] for one in sealed["WS221"]["datasets"].values())
    answer = pull()
    assert answer["mended"] == [] and answer["passed_over"] == {}
    assert all(same_as_on_wb_dev(site, dataset) for dataset in sealed["WS221"]["datasets"])
    # AceDB's block is random bytes here, which nothing makes smaller.
    assert received(answer) < whole - 700_000
    assert answer["datasets"][TABLES]["received"] < sealed["WS221"]["datasets"][TABLES]["bytes"] / 9
    assert site.modules["node"]["wb_dataset.held"]().keys() >= sealed["WS221"]["datasets"].keys()


def test_an_index_is_made_on_the_node_and_not_sent(site, sealed, pull, make):
    pull("WS220")
    make()
    pull()
    index = place(site, TABLES, "wb-dev") / "genes.MYI"
    assert index.stat().st_size > 64 << 10
    assert (place(site, TABLES) / "genes.MYI").read_bytes() == index.read_bytes()
    sizes = sum(path.stat().st_size for path in site.layout("wb-dev").parcels.rglob("*"))
    assert sizes < index.stat().st_size + 230_000


@pytest.fixture
def small(site):
    """The parcels of ``wb-dev`` lie on a disk of 800 kB, 5 percent of which are to stay free."""
    place = site.layout("wb-dev").parcels
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=800k", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_parcel_without_room_is_not_made_and_its_dataset_travels(site, sealed, pull, small, make):
    pull("WS220")
    made = make()
    assert list(made["without"]) == [TABLES.replace("WS221", "WS220")]
    assert "has no room for it" in made["without"][TABLES.replace("WS221", "WS220")]
    assert set(made["parcels"]) == sealed["WS221"]["datasets"].keys() - {TABLES}
    about = os.statvfs(small)
    assert about.f_bavail * 20 > about.f_blocks
    # What was begun of it is gone.
    assert len(parts(site)) == len({part for part in _parts_of(site, sealed, made)})
    answer = pull()
    assert all(same_as_on_wb_dev(site, dataset) for dataset in sealed["WS221"]["datasets"])
    assert answer["mended"] == []


def _parts_of(site, sealed, made):
    """The parts that parcels have."""
    dev = site.layout("wb-dev")
    manifest = Manifest.parse(dev.manifest(Build(221)).read_bytes(), Build(221))
    for dataset, bases in made["parcels"].items():
        for base in bases:
            pair = Dataset.parse(dataset), Dataset.parse(base)
            data = (dev.parcels / name_of(*pair)).read_bytes()
            yield from Parcel.parse(data, *pair, manifest.of(pair[0])).parts


def test_scratch_is_what_unpacking_takes_beside(make):
    told = make()["parcels"][TABLES][TABLES.replace("WS221", "WS220")]
    # The table before, and the index that is sorted beside.
    assert 64 << 10 < told["scratch"] < 1 << 20


def test_parcels_are_made_once(site, sealed, pull, make):
    first = make()
    before = {path: path.stat().st_mtime_ns for path in parts(site)}
    assert make() == first
    assert {path: path.stat().st_mtime_ns for path in parts(site)} == before


def test_a_sibling_fetches_them_from_the_first(site, pull, make):
    site.add("relay")
    make()
    for build in BUILDS:
        pull(build, node="relay")
    site.serve("relay")
    pull("WS220", sources=("relay",))
    site.stop("wb-dev")
    answer = pull(sources=("relay", "wb-dev"))
    assert {one["source"] for one in answer["datasets"].values()} == {"relay"}
    assert answer["mended"] == [] and parts(site, "node")
    # An index comes whole, since within a site that is faster than making it.
    assert answer["datasets"][TABLES]["received"] > 64 << 10
    assert contents(place(site, TABLES, "relay")) == contents(place(site, TABLES))


def test_without_a_base_everything_is_fetched_whole(site, sealed, pull, make):
    make()
    pull()
    assert all(same_as_on_wb_dev(site, dataset) for dataset in sealed["WS221"]["datasets"])
    assert not parts(site, "node")


def test_what_was_fetched_is_not_fetched_again(site, sealed, pull, make):
    pull("WS220")
    make()
    largest = parts(site)[-1]
    begun = site.layout("node").parcels / "WS221" / largest.name
    begun.parent.mkdir(parents=True)
    begun.write_bytes(largest.read_bytes()[:150_000])
    whole = sum(path.stat().st_size for path in site.layout("wb-dev").parcels.rglob("*"))
    assert received(pull()) < whole - 130_000
    assert same_as_on_wb_dev(site, "acedb/wormbase_WS221")


def test_a_beginning_that_is_not_one_is_fetched_again(site, pull, make):
    pull("WS220")
    make()
    largest = parts(site)[-1]
    begun = site.layout("node").parcels / "WS221" / largest.name
    begun.parent.mkdir(parents=True)
    begun.write_bytes(bytes(150_000))
    answer = pull()
    assert largest.name in answer["passed_over"]["wb-dev"]
    assert answer["mended"] == []
    assert begun.read_bytes() == largest.read_bytes()


def test_a_flipped_bit_in_a_part_is_found_and_named(site, sealed, pull, make):
    pull("WS220")
    make()
    broken = parts(site)[-1]
    flip(broken)
    answer = pull()
    assert broken.name in answer["passed_over"]["wb-dev"]
    assert all(same_as_on_wb_dev(site, dataset) for dataset in sealed["WS221"]["datasets"])


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("genes.MYD", {"genes.MYD", "genes.MYI"}),
        ("genes.frm", {"genes.frm"}),
    ],
)
def test_a_base_altered_by_hand_costs_that_file_alone(site, pull, make, path, wrong):
    pull("WS220")
    make()
    flip(place(site, TABLES.replace("WS221", "WS220")) / path, at=-3)
    answer = pull()
    assert {name.rsplit("/", 1)[-1] for name in answer["mended"]} <= wrong
    assert f"{TABLES}/{path}" in answer["mended"]
    assert same_as_on_wb_dev(site, TABLES)


def test_a_base_that_wb_dev_has_not_as_the_nodes_have_it_gets_no_parcel(site, sealed):
    base = TABLES.replace("WS221", "WS220")
    wanted = [{"dataset": TABLES, "base": base, "digest": "0" * 64}]
    answer = site.modules["wb-dev"]["wb_parcel.make"]("WS221", wanted)
    assert answer["parcels"] == {} and list(answer["without"]) == [base]


def test_bad_wishes_are_refused(site, sealed):
    make = site.modules["wb-dev"]["wb_parcel.make"]
    for build, wish, said in (
        ("WS222", [], "not sealed"),
        ("WS221", [{"dataset": TABLES, "base": ONTOLOGY, "digest": "0" * 64}], "earlier version"),
        ("WS221", [{"dataset": "../x", "base": ONTOLOGY, "digest": "0" * 64}], "not a dataset"),
    ):
        with pytest.raises(Exception, match=said):
            make(build, wish)


def test_a_purge_on_wb_dev_takes_the_parcels_along(site, make):
    make()
    layout, modules = site.layout("wb-dev"), site.modules["wb-dev"]
    for dataset in ("acedb/wormbase_WS221", "support/WS221/gene", ONTOLOGY):
        modules["wb_dataset.remove"]([dataset])
    modules["wb_build.forget"]("WS221")
    assert not (layout.parcels / "WS221").exists()


def test_making_tells_how_far_it_is(site, sealed, make, monkeypatch):
    told, clock = [], itertools.count()

    def meter(_send, _opts, name, step, total):
        assert (str(name), step) == ("WS221", "make_parcels")
        return Meter(total, lambda *figures: told.append(figures), lambda: next(clock))

    monkeypatch.setattr(progress, "meter", meter)
    make()
    whole = sum(one["bytes"] for one in sealed["WS221"]["datasets"].values())
    done = [figures[1] for figures in told]
    assert len(told) > len(sealed["WS221"]["datasets"])
    assert done == sorted(done) and done[-1] == whole
    assert {figures[2] for figures in told} == {whole}

    told.clear()
    make()
    assert told == []
