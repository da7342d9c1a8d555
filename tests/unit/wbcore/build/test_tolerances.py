"""The gate on contents: which figures may be so, and how those that may not are told."""

import pytest
from cluster import settings
from hypothesis import given
from hypothesis import strategies as st
from wbcore.build.tolerances import KINDS, count, outside, sentence, way_out
from wbcore.names import Build

WS220, WS221 = Build(220), Build(221)
TIGHT = {"shrink": 5, "grow": 50, "least": 100}
names = st.sampled_from(["a", "b", "c_elegans/fdata"])
figures = st.dictionaries(
    st.sampled_from(KINDS), st.dictionaries(names, st.integers(0, 10**10), max_size=3)
)


def differing(was, now, kind="classes", name="Gene", **contents):
    """What is told of one figure that was and is so."""
    found = outside(
        {kind: {name: was}}, {kind: {name: now} if now is not None else {}}, settings(**contents)
    )
    return [str(one) for one in found]


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (45_045, 45_045, []),
        (45_045, 45_155, []),
        (45_045, 43_000, []),
        (45_045, 22_522, ["AceDB objects of Gene: 45,045 -> 22,522 (-50%)"]),
        (45_045, 90_090, ["AceDB objects of Gene: 45,045 -> 90,090 (+100%)"]),
        (45_045, 0, ["AceDB objects of Gene: 45,045 -> 0 (-100%)"]),
        (45_045, None, ["AceDB objects of Gene: 45,045 -> gone"]),
        # At the tolerance and beyond it.
        (10_000, 9_500, []),
        (10_000, 9_499, ["AceDB objects of Gene: 10,000 -> 9,499 (-5%)"]),
        (10_000, 15_000, []),
        (10_000, 15_001, ["AceDB objects of Gene: 10,000 -> 15,001 (+50%)"]),
        # Little, whatever it is in percent.
        (11, 1, []),
        (1, 100, []),
        (120, 21, []),
        (120, 20, ["AceDB objects of Gene: 120 -> 20 (-83%)"]),
        # What is gone counts, however little it was; what was nothing does not.
        (6, None, ["AceDB objects of Gene: 6 -> gone"]),
        (0, None, []),
        (0, 1_000_000, []),
    ],
)
def test_a_figure_within_its_tolerance_and_outside(was, now, told):
    assert differing(was, now, contents={"classes": TIGHT}) == told


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_tolerance_of_its_own(kind):
    wide = {"shrink": 100, "grow": 100_000, "least": 0}

    assert len(differing(10**9, 10**8, kind)) == 1
    assert differing(10**9, 10**8, kind, contents={kind: wide}) == []


def test_an_exception_is_for_what_fits_its_pattern():
    wide = {"shrink": 90, "grow": 100, "least": 0}
    contents = {"exceptions": {"rows/clustal/*": wide, "rows/*": TIGHT}}

    def rows(name):
        return differing(10_000, 2_000, "rows", name, contents=contents)

    assert rows("clustal/alignments") == []
    assert len(rows("c_elegans/fdata")) == 1


def test_what_is_new_is_never_held():
    assert outside({}, {"rows": {"c_new/fdata": 10**6}}, settings()) == []


def test_losses_come_first_and_the_gravest_of_them():
    was = {"classes": {"A": 1000, "B": 1000, "C": 1000}, "rows": {"x/y": 10_000}}
    now = {"classes": {"A": 9000, "B": 100}, "rows": {"x/y": 5_000}}

    found = outside(was, now, settings())
    assert [one.name for one in found] == ["C", "B", "x/y", "A"]


def test_the_sentence_names_both_builds_and_so_many_figures():
    was = {"rows": {f"c_elegans/t{n}": 10_000 for n in range(8)}}
    found = outside(was, {"rows": dict.fromkeys(was["rows"], 0)}, settings())

    told = sentence(WS221, WS220, found)
    assert told.startswith("WS221 is further from the live WS220 than is allowed: rows of c_eleg")
    assert told.count("10,000 -> 0 (-100%)") == 5 and told.endswith(" and 3 more")
    assert "more" not in sentence(WS221, WS220, found[:5])[40:]
    assert "salt-run wb_release.accept build=WS221 reason=" in way_out(WS221)


@given(figures)
def test_a_build_beside_itself_is_allowed(some):
    assert outside(some, some, settings()) == []


@given(figures, figures)
def test_only_what_was_there_and_is_another_is_told(was, now):
    for one in outside(was, now, settings()):
        assert was[one.kind][one.name] == one.was > 0
        assert now.get(one.kind, {}).get(one.name) == one.now != one.was
        assert str(one)


@given(figures, st.integers(-4, 4))
def test_a_few_percent_of_everything_are_allowed(was, percent):
    now = {
        kind: {name: value + value * percent // 100 for name, value in named.items()}
        for kind, named in was.items()
    }

    assert outside(was, now, settings()) == []


@given(figures)
def test_without_anything_left_everything_that_was_is_told(was):
    there = [value for named in was.values() for value in named.values() if value]

    assert len(outside(was, {}, settings())) == len(there) <= count(was)
