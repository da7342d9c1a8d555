"""Parcels: every byte of a dataset is given once, nothing outside its base is read."""

from __future__ import annotations

import hashlib
import json
import lzma
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.build.manifest import Contents, File
from wbcore.datasets import Dataset
from wbcore.errors import BadData
from wbcore.transport import parcels
from wbcore.transport.parcels import BSDIFF, ZSTD, Parcel, Piece, Segment, Step

NEW, OLD = Dataset.parse("mysql/c_elegans_WS221"), Dataset.parse("mysql/c_elegans_WS220")
ACEDB = (Dataset.parse("acedb/wormbase_WS221"), Dataset.parse("acedb/wormbase_WS220"))
SUPPORT = (Dataset.parse("support/WS221/ontology"), Dataset.parse("support/WS220/ontology"))
MEGABYTE = 1 << 20


def digest(what):
    return hashlib.sha256(str(what).encode()).hexdigest()


def holding(files):
    """Contents of files given as path → (size, what is in it)."""
    return Contents({p: File(size, 1, 0o644, digest(what)) for p, (size, what) in files.items()})


def step(new, old, pair=(NEW, OLD)):
    return Step.between(*pair, holding(new), holding(old))


def made(parcel):
    """The parcel with all its parts, as if they were made."""
    segments = [replace(one, part=digest(one), size=7) for one in parcel.segments]
    return replace(parcel, segments=tuple(segments))


def test_packing_looks_at_each_piece_a_few_times_however_many_there_are():
    looks = 0

    class Watched(Piece):
        def __getattribute__(self, name):
            nonlocal looks
            looks += name == "size"
            return super().__getattribute__(name)

    many = 3000
    pieces = [(Watched(f"f{number}", 0, 300), None) for number in range(many)]
    (segment,) = parcels._packed(iter(pieces))

    assert len(segment.pieces) == many and looks <= 4 * many


SIZES = st.sampled_from([0, 1, 999, 5 * MEGABYTE, 200 * MEGABYTE, 700 * MEGABYTE])
PATHS = st.sampled_from(["a", "b.WS220", "b.WS221", "d/c.MYD", "d/c.MYI", "e\udcff", "f"])
FILES = st.dictionaries(PATHS, st.tuples(SIZES, st.integers(0, 3)), max_size=6)


@given(FILES, FILES, st.booleans())
def test_every_parcel_gives_every_byte_once_and_can_be_read_again(new, old, fine):
    between = step(new, old)
    wanted = set(between.other) if fine else set()
    parcel = made(between.arranged({}, wanted))
    assert Parcel.parse(parcel.to_bytes(), NEW, OLD, between.contents) == parcel
    for segment in parcel.segments:
        most, slack = (
            (parcels.FINE_BYTES, parcels.FINE_SLACK)
            if segment.how == BSDIFF
            else (parcels.SEGMENT_BYTES, parcels.SLACK_BYTES)
        )
        assert sum(piece.size for piece in segment.pieces) <= most
        assert sum(piece.size for piece in segment.base) <= most + 2 * slack
        for piece in segment.base:
            assert piece.offset + piece.size <= between.before.files[piece.path].size


@pytest.mark.parametrize(
    ("old", "same"),
    [
        ({"x": (3, "x")}, {"x": "x"}),
        ({"y": (3, "x")}, {"x": "y"}),
        ({"x": (3, "other")}, {}),
    ],
)
def test_what_the_base_has_is_not_sent_whatever_its_name(old, same):
    assert step({"x": (3, "x")}, old).same == same


def test_a_file_that_is_named_after_its_build_has_an_earlier_version():
    between = step({"g.WS221.wb": (9, 1)}, {"g.WS220.wb": (9, 2)}, SUPPORT)
    assert between.other == {"g.WS221.wb": "g.WS220.wb"}


def test_a_large_file_is_looked_for_near_its_own_place():
    size = 300 * MEGABYTE
    between = step({"t.MYD": (size, 1)}, {"t.MYD": (2 * size, 2)})
    last = between.arranged({}, ()).segments[-1]
    (piece,), (like,) = last.pieces, last.base
    assert (piece.offset, piece.size) == (256 * MEGABYTE, 44 * MEGABYTE)
    assert like.offset == 2 * piece.offset - parcels.SLACK_BYTES
    assert like.size == piece.size + 2 * parcels.SLACK_BYTES


@pytest.mark.parametrize(
    ("path", "size", "link", "made_anew"),
    [
        ("t.MYI", 10 * MEGABYTE, 5e6, True),
        # Where sending is faster than making, it is sent.
        ("t.MYI", 10 * MEGABYTE, 100e6, False),
        ("t.MYI", 1000, 5e6, False),
        ("t.MYD", 10 * MEGABYTE, 5e6, False),
        # There is no table to make it from.
        ("u.MYI", 10 * MEGABYTE, 5e6, False),
    ],
)
def test_an_index_is_made_anew_where_that_is_faster(path, size, link, made_anew):
    between = step({path: (size, 1), "t.MYD": (9 * MEGABYTE, 2)}, {})
    assert (path in between.made_anew(link)) is made_anew


def test_an_index_of_another_kind_of_dataset_is_any_file():
    new = {"t.MYI": (10 * MEGABYTE, 1), "t.MYD": (MEGABYTE, 2)}
    assert step(new, {}, SUPPORT).made_anew(5e6) == []


def test_tables_come_first_in_the_budget_and_blocks_never():
    two = 2 * parcels.FINE_SPEED
    tables = step(
        {"big.MYD": (int(two), 1), "small.MYD": (int(two / 2), 1), "t.frm": (900, 1)},
        {"big.MYD": (9, 2), "small.MYD": (9, 2), "t.frm": (9, 2)},
    )
    other = step({"list": (int(two), 1)}, {"list": (9, 2)}, SUPPORT)
    blocks = step({"block1.wrm": (int(two), 1)}, {"block1.wrm": (9, 2)}, ACEDB)
    steps = [blocks, other, tables]
    everything = parcels.finest(steps, [(), (), ()], 100)
    assert everything == [set(), {"list"}, {"big.MYD", "small.MYD"}]
    assert parcels.finest(steps, [(), (), ()], 3.1) == [set(), set(), {"big.MYD", "small.MYD"}]
    assert parcels.finest(steps, [(), (), ()], 1.1) == [set(), set(), {"small.MYD"}]
    assert parcels.finest(steps, [(), (), {"small.MYD"}], 0.5) == [set(), set(), set()]


def test_wanted_are_the_newest_bases_that_nodes_hold_each_once():
    held = {
        "a": {
            "mysql/c_elegans_WS219": "19",
            "mysql/c_elegans_WS220": "20",
            "acedb/wormbase_WS1": "1",
        },
        "b": {"mysql/c_elegans_WS220": "20"},
        "c": {"mysql/c_elegans_WS219": "19"},
        "d": {},
    }
    pulls = {node: [str(NEW), "webapp/WS221-2010.12.24-0.02-1350"] for node in [*held, "e"]}
    assert parcels.wanted(pulls, held) == [
        {"dataset": str(NEW), "base": "mysql/c_elegans_WS219", "digest": "19"},
        {"dataset": str(NEW), "base": str(OLD), "digest": "20"},
    ]


WHOLE = {"t.MYD": (9, 1), "t.MYI": (5, 2)}


@pytest.mark.parametrize(
    "changed",
    [
        {"same": {}},
        {"same": {"t.MYD": "/etc/shadow"}},
        {"same": {"t.MYD": "../c_elegans_WS219/t.MYD"}},
        {"same": {"t.MYD": "t.MYD", "t.MYI": "t.MYI"}},
        {"same": {"t.MYD": "t.MYD", "more": "t.MYD"}},
        {"format": 0},
        {"dataset": "mysql/c_elegans_WS222"},
        {"heads": {"t.MYI": "zz"}},
        {"heads": {"t.MYI": "00" * 70_000}},
        {"segments": [{"pieces": [["t.MYI", 1, 4]], "base": [], "how": ZSTD, "part": digest(1)}]},
        {"segments": "no"},
    ],
)
def test_a_parcel_that_is_not_right_is_refused(changed):
    parcel = Parcel(NEW, OLD, {"t.MYD": "t.MYD"}, {"t.MYI": b"head"})
    plain = json.loads(lzma.decompress(parcel.to_bytes())) | changed
    with pytest.raises(BadData, match="can not be used"):
        Parcel.parse(lzma.compress(json.dumps(plain).encode()), NEW, OLD, holding(WHOLE))


@pytest.mark.parametrize(
    "segment",
    [
        {"how": "sh"},
        {"part": "../../x"},
        {"size": -1},
        {"pieces": [["t.MYI", 0, 1 << 40]]},
        {"pieces": [[7, 0, 5]]},
        {"base": [["a", 0, 1 << 40]]},
        {"base": [["../a", 0, 4]]},
    ],
)
def test_a_segment_that_is_not_right_is_refused(segment):
    whole = {"pieces": [["t.MYI", 0, 5]], "base": [["t.MYI", 0, 5]], "how": ZSTD}
    whole |= {"part": digest(1), "size": 7}
    parcel = Parcel(NEW, OLD, {"t.MYD": "t.MYD"})
    plain = json.loads(lzma.decompress(parcel.to_bytes())) | {"segments": [whole]}
    good = lzma.compress(json.dumps(plain).encode())
    assert Parcel.parse(good, NEW, OLD, holding(WHOLE)).parts == {digest(1): 7}
    plain["segments"] = [whole | segment]
    with pytest.raises(BadData, match="can not be used"):
        Parcel.parse(lzma.compress(json.dumps(plain).encode()), NEW, OLD, holding(WHOLE))


@pytest.mark.parametrize("data", [b"", b"no parcel", lzma.compress(b"[]"), lzma.compress(b"{")])
def test_what_is_no_parcel_is_refused(data):
    with pytest.raises(BadData, match="can not be used"):
        Parcel.parse(data, NEW, OLD, holding(WHOLE))


def test_names_say_what_leads_where():
    assert parcels.name_of(*SUPPORT) == "WS221/support.ontology.from.WS220.parcel"
    assert parcels.part_of(NEW, "ab") == "WS221/ab.part"
    assert Segment((Piece("a", 0, 1),), ()).how == ZSTD
