"""wbcore.layout: the paths of docs/field.md, and nothing lies where it could be mistaken."""

from pathlib import Path

import pytest
from wbcore.datasets import KINDS, Dataset
from wbcore.layout import Layout
from wbcore.names import Build, Release

HERE = Layout()
IDS = [
    "acedb/wormbase_WS221",
    "mysql/c_elegans_WS221",
    "support/WS221/ontology",
    "webapp/WS221-2010.12.24-0.02-1350",
]
FIELD = {
    "acedb/wormbase_WS221": "/usr/local/wormbase/acedb/wormbase_WS221",
    "mysql/c_elegans_WS221": "/usr/local/mysql/data/c_elegans_WS221",
    "support/WS221/ontology": "/usr/local/wormbase/databases/WS221/ontology",
    "webapp/WS221-2010.12.24-0.02-1350": ("/usr/local/wormbase/website/WS221-2010.12.24-0.02-1350"),
}


@pytest.mark.parametrize("text", IDS)
def test_dataset_lies_where_field_says(text):
    assert HERE.dataset(Dataset.parse(text)) == Path(FIELD[text])


def test_links_lie_where_field_says():
    assert HERE.link("acedb") == Path("/usr/local/wormbase/acedb/wormbase")
    assert HERE.link("mysql/c_elegans") == Path("/usr/local/mysql/data/c_elegans")
    assert HERE.link("production") == Path("/usr/local/wormbase/website/production")


def test_links_lie_beside_what_they_point_to():
    pairs = [("acedb", IDS[0]), ("mysql/c_elegans", IDS[1]), ("production", IDS[3])]

    for link, dataset in pairs:
        assert HERE.link(link).parent == HERE.dataset(Dataset.parse(dataset)).parent


def test_link_of_an_unknown_name_is_an_error():
    with pytest.raises(KeyError):
        HERE.link("staging")


def test_staging_and_software_lie_where_field_says():
    assert HERE.staging == Path("/usr/local/wormbase/website/staging")
    assert HERE.software == Path("/usr/local/ftp/pub/wormbase/software")
    assert HERE.build(Build(221)) == Path("/usr/local/wormbase/builds/WS221")


@pytest.mark.parametrize("text", IDS)
def test_incoming_is_renamed_within_one_directory_tree_and_is_no_dataset(text):
    dataset = Dataset.parse(text)
    incoming = HERE.incoming(dataset)

    assert incoming.is_relative_to(HERE.kind(dataset.kind))
    assert incoming != HERE.dataset(dataset)
    assert any(part.startswith(".") for part in incoming.parts)


def test_markers_of_different_datasets_never_meet():
    ids = [*IDS, "mysql/ontology_WS221", "support/WS221/ontology.json", "support/WS22/ontology"]

    assert len({HERE.marker(Dataset.parse(text)) for text in ids}) == len(ids)


def test_manifests_are_named_after_what_they_list():
    release = Release.parse("WS221-2010.12.24-0.02-1350")

    assert HERE.manifest(Build(221)).name == "WS221.json"
    assert HERE.manifest(release).name == "WS221-2010.12.24-0.02-1350.json"


def test_every_path_is_below_the_root(tmp_path):
    layout = Layout(tmp_path)
    properties = [
        getattr(layout, name) for name, value in vars(Layout).items() if isinstance(value, property)
    ]
    dataset = Dataset.parse(IDS[0])
    paths = [
        *properties,
        *map(layout.kind, KINDS),
        layout.dataset(dataset),
        layout.incoming(dataset),
        layout.marker(dataset),
        layout.link("acedb"),
        layout.link("mysql/c_elegans"),
        layout.build(Build(221)),
        layout.manifest(Build(221)),
    ]

    assert len(properties) > 8
    assert all(path.is_relative_to(tmp_path) for path in paths)


def test_what_the_automation_remembers_lies_in_one_directory():
    for path in (HERE.ledger, HERE.lock, HERE.journal, HERE.marker(Dataset.parse(IDS[0]))):
        assert path.is_relative_to(HERE.state)
