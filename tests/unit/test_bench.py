"""What the benchmark copies, compares, reckons and draws, without a lab."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from bench import check, copies, crowding, drawing, growing, report
from bench.copies import Pair
from lab.inventory import WEB

PAIR = Pair("WS220", "WS221", (("c_elegans_WS221", "c_elegans_WS220"),))
OLD = {"wan": 1_200, "seconds": 200.0, "nodes": {"canopus": 400, "canopus2": 400, "canopus3": 400}}
BASED = {"wan": 60, "seconds": 40.0, "nodes": {"canopus": 58, "canopus2": 1, "canopus3": 1}}


def own(**changed: Any) -> dict[str, dict[str, Any]]:
    good = {"wan": 12, "seconds": 30.0, "nodes": {"canopus": 1_000, "canopus2": 20, "canopus3": 1}}
    return {report.OLD: OLD, report.BASED: BASED, report.OURS: good | changed}


@pytest.mark.parametrize(
    ("roles", "kinds"),
    [
        (WEB, ["acedb", "mysql", "support"]),
        (("mysql",), ["mysql"]),
        (("staging",), []),
    ],
)
def test_copies_are_those_of_the_roles(roles: tuple[str, ...], kinds: list[str]) -> None:
    assert [copy.kind for copy in PAIR.copies(roles)] == kinds


def test_old_copies_everything_whole_to_one_node() -> None:
    [copy] = PAIR.copies(("mysql",))
    command = copies.old(copy, ("mysql",), "wb-gb1")
    assert command[:2] == ["rsync", "-Cav"]
    assert command[-2:] == [
        "/usr/local/mysql/data/c_elegans_WS221/",
        "wb-gb1:/usr/local/bench/mysql/data/c_elegans_WS221/",
    ]
    assert not any("copy-dest" in word for word in command)


def test_based_takes_the_live_release_as_basis_and_a_sibling_as_source() -> None:
    [copy] = PAIR.copies(("mysql",))
    far = copies.based(copy, ("mysql",), "wb-dev", sibling=False)
    near = copies.based(copy, ("mysql",), "canopus", sibling=True)
    assert "--copy-dest=/usr/local/mysql/data/c_elegans_WS220" in far
    assert {"-yy", "--no-whole-file", "--compress-choice=zstd"} <= set(far)
    assert far[-2] == "wb-dev:/usr/local/mysql/data/c_elegans_WS221/"
    assert near[-2] == "canopus:/usr/local/bench/mysql/data/c_elegans_WS221/"


def test_only_the_mining_node_gets_blast() -> None:
    there = {
        "wormbase/databases/WS221/blast/db.nin": "1",
        "wormbase/databases/WS221/gene/blast": "2",
        "wormbase/acedb/wormbase_WS221/database/block1.wrm": "3",
        "mysql/data/c_elegans_WS221/gene.MYD": "4",
        "mysql/data/c_elegans_WS2210/gene.MYD": "5",
    }
    names = list(there)
    assert list(check.due(there, (*WEB, "mining"), PAIR)) == names[:4]
    assert list(check.due(there, WEB, PAIR)) == names[1:4]
    assert list(check.due(there, ("mysql",), PAIR)) == names[3:4]
    web, mining = PAIR.copies(WEB)[-1], (*WEB, "mining")
    assert "--exclude=/blast" in copies.old(web, WEB, "wb-web1")
    assert "--exclude=/blast" not in copies.old(web, mining, "wb-mining")


def test_ratios_at_their_limits_are_met() -> None:
    found = report.ratios(own())
    assert [ratio["value"] for ratio in found.values()] == [0.03, 0.2, 0.15, 0.02, 0.001]
    assert report.missed(found) == []


@pytest.mark.parametrize(
    ("changed", "late"),
    [
        ({"wan": 13}, [report.ONE_NODE]),
        ({"wan": 16}, [report.ONE_NODE, report.ONE_TRIP]),
        ({"seconds": 31.0}, [report.WALL]),
        ({"nodes": {"canopus": 1_000, "canopus2": 1, "canopus3": 30}},
         ["added by canopus3 / the trip"]),
    ],
)  # fmt: skip
def test_ratios_above_their_limits_are_named(changed: dict[str, Any], late: list[str]) -> None:
    found = report.ratios(own(**changed))
    assert report.missed(found) == late
    assert all(name in report.last_line(found) for name in late)
    assert report.last_line(found).count("MISSED") == len(late)


def test_table_and_picture_show_every_way() -> None:
    ways = own(before={"seal": 1.5, "make_parcels": 30.0}, command=65.0)
    result = {"build": "WS221", "basis": "WS220", "files": 3, "bytes": 375_000_000,
              "wan_megabytes": 5.0, "ways": ways}  # fmt: skip
    told = report.table(result)
    assert "seal 1.5 s, make_parcels 30.0 s" in told
    drawn = drawing.pushed(result)
    texts = ["".join(each.itertext()) for each in ElementTree.fromstring(drawn)]
    assert "Over the WAN for canopus canopus2 canopus3 (WS221, 375 MB, link 5.0 MB/s)" in texts
    for name in ways:
        assert name in told
        assert texts.count(name) == 2


def grown(**changed: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rows by nodes and by size of a push that grows as it may, or with one figure changed in
    the last row of both."""

    def row(nodes: int, size: int) -> dict[str, Any]:
        return {"nodes": nodes, "bytes": size * 90_000_000, "files": 100, "wan": 2_000_000 * size,
                "seconds": 5.0 + 7 * size + nodes / 4, "wrong": [],
                "before": {"seal": 2.0, "make_parcels": 9.0}}  # fmt: skip

    nodes, sizes = [row(n, 1) for n in (2, 4, 8)], [row(8, size) for size in (1, 4, 8)]
    nodes[-1] |= changed
    sizes[-1] |= changed
    return nodes, sizes


def test_a_push_may_grow_as_the_release_does() -> None:
    assert list(growing.faults(*grown())) == []


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"wan": 40_000_000}, "wan grow more than linearly up to 720 megabytes"),
        ({"seconds": 200.0}, "seconds grow more than linearly up to 8 nodes"),
        ({"wan": 40_000_000}, "a further remote node adds"),
        ({"wrong": ["canopus"]}, "not byte for byte as on wb-dev: canopus"),
    ],
)
def test_what_grows_faster_is_told(changed: dict[str, Any], word: str) -> None:
    assert any(fault.startswith(word) for fault in growing.faults(*grown(**changed)))


def test_the_picture_of_growth_has_a_bar_for_each_row() -> None:
    nodes, sizes = grown()
    drawn = drawing.grown({"nodes": nodes, "sizes": sizes})
    bars = ElementTree.fromstring(drawn).findall("{http://www.w3.org/2000/svg}rect")
    assert len(bars) == 1 + 12


def crowded(files: int, seconds: float, size: float) -> dict[str, Any]:
    taken = {"seconds": seconds, "bytes": size}
    return {"files": files, **dict.fromkeys(crowding.STAGES, taken)}


def test_four_times_the_files_may_take_four_times_as_much_and_a_quarter() -> None:
    small = crowded(50_000, 10, 100)
    assert list(crowding.growing([small, crowded(200_000, 50, 500)])) == []
    found = list(crowding.growing([small, crowded(200_000, 51, 500)]))
    assert found[0] == "seal: 4 times the files took 5.10 times the seconds" and len(found) == 3


def test_small_files_have_the_size_and_differ_as_told() -> None:
    builds = [
        [crowding._text(number, build) for number in range(1000)] for build in ("WS220", "WS221")
    ]
    assert {len(text) for build in builds for text in build} == {300}
    assert len(set(builds[0])) == 1000
    assert sum(old != new for old, new in zip(*builds, strict=True)) == 50
