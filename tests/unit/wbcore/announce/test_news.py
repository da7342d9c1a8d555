"""What is new in a build, as the announcement tells it."""

from hypothesis import given
from hypothesis import strategies as st
from wbcore.announce.news import Stock, news
from wbcore.build.manifest import Contents, File, Manifest
from wbcore.build.tolerances import CLASSES
from wbcore.datasets import Dataset
from wbcore.names import Build

WS220 = Stock(
    "WS220",
    {"c_elegans": "c_elegans_WS220", "clustal": "clustal_WS210", "c_old": "c_old_WS210"},
    {"acedb": 27_100_000, "mysql": 1_218_240_000, "support": 0},
    {"Gene": 11_269, "Map": 6, "Interaction": 14_682},
)
WS221 = Stock(
    "WS221",
    {"c_elegans": "c_elegans_WS221", "clustal": "clustal_WS210", "c_new": "c_new_WS221"},
    {"acedb": 27_200_000, "mysql": 1_219_000_000, "support": 66_400_000},
    {"Gene": 11_304, "Map": 6, "Ortholog": 32_049},
)
TOLD = """What is new since WS220

MySQL databases rebuilt: 2 of 3
  c_elegans, c_new
  no longer there: c_old

Objects of AceDB, where their number changed         WS220         WS221
  Gene                                              11,269        11,304
  Interaction                                       14,682             0
  Ortholog                                               0        32,049

Sizes                                                WS220         WS221
  AceDB                                            27.1 MB       27.2 MB
  MySQL                                         1,218.2 MB    1,219.0 MB
  support databases                                 0.0 MB       66.4 MB"""
words = st.text("abcdefgh_", min_size=1, max_size=30)
stocks = st.builds(
    Stock,
    st.integers(1, 999).map("WS{}".format),
    st.dictionaries(words, words, max_size=30),
    st.fixed_dictionaries(dict.fromkeys(("acedb", "mysql", "support"), st.integers(0, 10**13))),
    st.dictionaries(words, st.integers(0, 10**9), max_size=9),
)


def test_news_tells_databases_classes_and_sizes():
    assert news(WS220, WS221) == TOLD


def test_news_without_counts_tells_the_rest():
    for was, now in ((WS220, uncounted(WS221)), (uncounted(WS220), WS221)):
        told = news(was, now)
        assert "Objects of AceDB" not in told and "c_elegans, c_new" in told and "66.4 MB" in told


def test_news_of_a_build_with_the_same_objects():
    told = news(WS220, Stock("WS221", WS220.databases, WS220.bytes, WS220.classes))
    assert "MySQL databases rebuilt: 0 of 3\n\nNo class of AceDB has" in told


@given(stocks, stocks)
def test_news_is_narrow_whatever_the_builds_are(was, now):
    assert all(len(line) <= 80 for line in news(was, now).splitlines())


def uncounted(stock: Stock) -> Stock:
    return Stock(stock.name, stock.databases, stock.bytes, {})


def test_stock_is_that_of_the_manifest_and_the_figures():
    contents = Contents({"a": File(5, 0, 0o644, "0" * 64), "b": File(7, 0, 0o644, "0" * 64)})
    datasets = ["acedb/wormbase_WS221", "support/WS221/gene", "support/WS221/blast"]
    manifest = Manifest(
        Build(221),
        {"c_elegans": "c_elegans_WS220"},
        {Dataset.parse(name): contents for name in datasets},
    )

    stock = Stock.of(manifest, {CLASSES: {"Gene": 7}})
    assert stock.bytes == {"acedb": 12, "mysql": 0, "support": 24}
    assert (stock.name, stock.classes) == ("WS221", {"Gene": 7})
    assert Stock.of(manifest, {}).classes == {}
