"""wbcore.datasets: what travels as one, and that its id can not lead elsewhere."""

from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wbcore.datasets import KINDS, Dataset
from wbcore.errors import BadRequest
from wbcore.names import Build

IDS = [
    "acedb/wormbase_WS221",
    "mysql/c_elegans_WS221",
    "support/WS221/ontology",
    "webapp/WS221-2010.12.24-0.02-1350",
]
NO_IDS = [
    "",
    "acedb",
    "acedb/",
    "acedb/wormbase",
    "acedb/../wormbase_WS221",
    "mysql/c_elegans_WS221/..",
    "mysql//c_elegans_WS221",
    "/mysql/c_elegans_WS221",
    "mysql/.c_elegans_WS221",
    "mysql/-rf_WS221",
    "mysql/c elegans_WS221",
    "mysql/c_elegans_WS221\n",
    "mysql/mysql",
    "support/WS221",
    "support/WS221/",
    "support/WS221/..",
    "support/WS221/blast/deep",
    "support/blast/WS221",
    "webapp/production",
    "webapp/staging",
    "ftp/WS221",
    None,
    7,
    ["acedb/wormbase_WS221"],
]
# What a hostile or broken sender would put together.
PIECES = st.sampled_from(
    [*KINDS, "..", ".", "", "~", "-rf", "WS221", "x_WS221", "wormbase_WS1", "\n", "\0", "é_WS1"]
)
NASTY = st.lists(PIECES, max_size=5).map("/".join) | st.text() | st.sampled_from(IDS)


@pytest.mark.parametrize("text", IDS)
def test_parse_reads_what_str_writes(text):
    dataset = Dataset.parse(text)

    assert str(dataset) == text
    assert dataset.build == Build(221)


@pytest.mark.parametrize("text", NO_IDS, ids=repr)
def test_parse_refuses_what_is_no_dataset(text):
    with pytest.raises(BadRequest):
        Dataset.parse(text)


@given(NASTY)
@example("support/WS221/.." + "/" * 3)
def test_parse_never_leaves_the_directory_of_its_kind(text):
    try:
        dataset = Dataset.parse(text)
    except BadRequest:
        return
    parts = PurePosixPath(str(dataset)).parts
    assert str(dataset) == text
    assert parts[0] in KINDS
    assert len(parts) == (3 if parts[0] == "support" else 2)
    assert not any(part.startswith((".", "-", "/")) for part in parts)
    assert text.isascii() and text.isprintable() and " " not in text


@pytest.mark.parametrize(
    ("text", "folder", "stem"),
    [
        ("acedb/wormbase_WS221", "wormbase_WS221", "acedb/wormbase_WS*"),
        ("mysql/c_elegans_WS221", "c_elegans_WS221", "mysql/c_elegans_WS*"),
        ("support/WS221/blast", "blast", "support/WS*/blast"),
        ("webapp/WS221-2010.12.24-0.02-1350", "WS221-2010.12.24-0.02-1350", "webapp"),
    ],
)
def test_folder_and_basis_stem(text, folder, stem):
    dataset = Dataset.parse(text)

    assert (dataset.folder, dataset.basis_stem) == (folder, stem)


@given(
    st.sampled_from(["acedb/{}_WS{}", "mysql/{}_WS{}"]), st.integers(1, 999), st.integers(1, 999)
)
def test_basis_stem_is_the_same_in_every_build(form, one, other):
    stems = {Dataset.parse(form.format("some_name", n)).basis_stem for n in (one, other)}

    assert len(stems) == 1


def test_basis_stem_differs_between_databases():
    assert Dataset.parse("mysql/a_WS1").basis_stem != Dataset.parse("mysql/b_WS1").basis_stem
