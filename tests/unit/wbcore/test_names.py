"""wbcore.names: what is a name and how names are ordered."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.errors import BadRequest
from wbcore.names import Build, Release, build_of_directory

NUMBERS = st.integers(1, 999_999)
RELEASES = st.builds(
    Release,
    st.builds(Build, NUMBERS),
    st.dates(datetime.date(1000, 1, 1)),
    st.lists(st.integers(0, 99), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n))),
    st.integers(0, 10**9),
)
NO_BUILDS = [
    "",
    "WS",
    "WS0",
    "WS007",
    "WS1234567",
    "ws221",
    "WS221\n",
    " WS221",
    "WS221 ",
    "WS-1",
    "WS22l",
    "WS\u0662\u0662\u0661",
    "../WS221",
    "WS221;reboot",
    "WS221/..",
    None,
    221,
    True,
    b"WS221",
    ["WS221"],
]
NO_RELEASES = [
    "",
    "WS221",
    "WS221-2010.12.24-0.02",
    "WS221-2010.13.24-0.02-1350",
    "WS221-2010.02.30-0.02-1350",
    "WS221-0000.01.01-0.02-1350",
    "WS221-2010.12.24-0.02-1350\n",
    "WS221-2010.12.24-0..2-1350",
    "WS221-2010.12.24-0.02-",
    "WS221-2010.12.24-../x-1350",
    "WS0-2010.12.24-0.02-1350",
    None,
    1350,
]


@given(NUMBERS)
def test_build_parse_reads_what_str_wrote(number):
    assert Build.parse(str(Build(number))) == Build(number)


@pytest.mark.parametrize("text", NO_BUILDS, ids=repr)
def test_build_parse_refuses_what_is_no_build(text):
    with pytest.raises(BadRequest, match="is not the name of a build; a build is WS"):
        Build.parse(text)


@given(st.text() | st.integers() | st.none() | st.binary() | st.lists(st.text()))
def test_build_parse_lets_only_its_own_spelling_through(value):
    try:
        build = Build.parse(value)
    except BadRequest as error:
        assert len(str(error)) < 300
    else:
        assert str(build) == value


def test_builds_are_ordered_by_number_and_not_as_text():
    builds = [Build.parse(text) for text in ("WS221", "WS99", "WS100", "WS1000")]

    assert [str(build) for build in sorted(builds)] == ["WS99", "WS100", "WS221", "WS1000"]


@given(NUMBERS, NUMBERS)
def test_builds_compare_as_their_numbers_do(one, other):
    assert (Build(one) < Build(other)) == (one < other)
    assert (Build(one) <= Build(other)) == (one <= other)
    assert (Build(one) == Build(other)) == (one == other)


def test_release_parse_reads_the_name_on_the_wiki_page():
    release = Release.parse("WS221-2010.12.24-0.02-1350")

    assert release == Release(Build(221), datetime.date(2010, 12, 24), "0.02", 1350)


@given(RELEASES)
def test_release_parse_reads_what_str_wrote(release):
    assert Release.parse(str(release)) == release


@pytest.mark.parametrize("text", NO_RELEASES, ids=repr)
def test_release_parse_refuses_what_is_no_release(text):
    with pytest.raises(BadRequest, match="is not the name of a release"):
        Release.parse(text)


@given(RELEASES, st.dates(datetime.date(1000, 1, 1)))
def test_same_content_does_not_look_at_the_date(release, date):
    assert release.same_content(Release(release.build, date, release.webapp, release.revision))


@given(RELEASES, RELEASES)
def test_same_content_is_the_name_without_the_date(one, other):
    def undated(release):
        return str(release).replace(release.date.strftime("%Y.%m.%d"), "date", 1)

    assert one.same_content(other) == (undated(one) == undated(other))


def test_build_of_directory_reads_the_last_part():
    assert build_of_directory("c_elegans_gmap_WS221") == Build(221)
    assert build_of_directory("a_WS1_WS221") == Build(221)


@pytest.mark.parametrize("name", ["c_elegans", "WS221", "_WS221", "c_elegans_WS221.bak", "x_WS0"])
def test_build_of_directory_without_a_build_is_none(name):
    assert build_of_directory(name) is None
