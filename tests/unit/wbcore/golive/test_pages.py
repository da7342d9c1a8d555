"""wbcore.golive.pages: what has to be in a page of the webapp."""

import pytest
from wbcore.golive.pages import disagreement, text
from wbcore.names import Release

RELEASE = "WS221-2010.12.24-0.02-1350"
REPORT = {
    "node": "wb-web1",
    "release": RELEASE,
    "revision": 1350,
    "acedb": "WS221",
    "mysql": {"c_elegans": "WS221", "clustal": "WS215"},
}


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("", ""),
        ("<b>{build}</b>", "<b>WS221</b>"),
        ("{release} {x} {0} {", f"{RELEASE} {{x}} {{0}} {{"),
    ],
)
def test_text_replaces_build_and_release_alone(pattern, wanted):
    assert text(pattern, Release.parse(RELEASE)) == wanted


@pytest.mark.parametrize(
    "page",
    [
        {},
        REPORT,
        {"revision": "1350", "title": "WormBase"},
        {"mysql": {"clustal": "WS215", "own": "1"}},
        {"mysql": "yes"},
    ],
)
def test_a_page_that_says_the_same_or_less_agrees(page):
    assert disagreement(page, REPORT) == ""


@pytest.mark.parametrize(
    ("page", "says"),
    [
        ("WS221", "says 'WS221' instead of its versions"),
        ({"acedb": "WS220"}, "says that acedb is 'WS220', the servers say 'WS221'"),
        ({"mysql": {"clustal": "WS221"}}, "says that MySQL's clustal is 'WS221', the servers"),
    ],
)
def test_a_page_that_says_otherwise_is_quoted(page, says):
    assert disagreement(page, REPORT).startswith(says)
