"""The webapp's version, VERSION.txt and wormbase.env."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.errors import BadData
from wbcore.names import Release
from wbcore.webapp_version import (
    VERSION_FILE,
    changeset_in,
    environment_text,
    version_text,
    webapp_version,
)

from lab.webapp.checkout import WEBSITE

RELEASE = Release.parse("WS221-2010.12.24-0.02-1350")


@pytest.mark.parametrize(
    "line",
    ["our $VERSION = '0.02';", 'our $VERSION="0.02" ;', "  our $VERSION = 0.02; # newest"],
)
def test_webapp_version_is_read(line):
    assert webapp_version(f"package WormBase::Web;\n{line}\n1;\n") == "0.02"


def test_webapp_version_of_the_webapp_itself():
    assert webapp_version((WEBSITE / VERSION_FILE).read_text()) == "0.02"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# our $VERSION = '0.02';",
        "our $VERSION = '0.02-beta';",
        "our $VERSION = '../0.02';",
        "our $VERSION = '0.02\";",
        "my $VERSION = '0.02';",
        "our $VERSION = '0.02';\nour $VERSION = '0.03';",
    ],
)
def test_webapp_version_unclear_is_refused(text):
    with pytest.raises(BadData, match=r"version; write one line like our \$VERSION"):
        webapp_version(text)


@given(st.lists(st.integers(0, 999), min_size=1, max_size=4))
def test_webapp_version_fits_into_a_release_name(numbers):
    version = ".".join(map(str, numbers))
    found = webapp_version(f"our $VERSION = '{version}';")
    assert Release.parse(f"WS221-2010.12.24-{found}-1350").webapp == version


def test_version_text_has_its_keys_and_gives_the_changeset_back():
    text = version_text(RELEASE, "4f" * 20)

    assert changeset_in(text) == "4f" * 20 and changeset_in("CHANGESET=1350\n") == ""
    assert text.splitlines() == [
        "DATE=2010.12.24",
        "DATABASE_VERSION=WS221",
        "SOFTWARE_VERSION=0.02",
        "CHANGESET=1350",
        f"CHANGESET_HASH={'4f' * 20}",
    ]


def test_environment_text_names_the_app():
    template = "export APP=[% app %]\ncd website/[% app %]\n"
    assert environment_text(template, "production") == (
        "export APP=production\ncd website/production\n"
    )
