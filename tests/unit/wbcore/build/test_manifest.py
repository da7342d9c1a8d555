"""Manifests: equal things give equal bytes, and nothing in one leads out of its dataset."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wbcore.build import manifest as manifests
from wbcore.build.manifest import Contents, File, Found, Manifest, Stat
from wbcore.datasets import Dataset
from wbcore.errors import BadData, BadRequest
from wbcore.names import Build, Release

WS221 = Build(221)
GENE = Dataset.parse("support/WS221/gene")
HASH = "ab" * 32

names = (
    st.binary(min_size=1, max_size=8)
    .filter(lambda name: name not in (b".", b"..") and not set(name) & set(b"/\0"))
    .map(os.fsdecode)
)
files = st.builds(
    File,
    size=st.integers(0, 2**50),
    mtime_ns=st.integers(0, 2**62),
    mode=st.integers(0, 0o7777),
    sha256=st.integers(0, 2**256 - 1).map("{:064x}".format),
)


@st.composite
def contents(draw):
    """Files and links in folders, with any name that a file system can hold."""
    folders = draw(st.sets(names, max_size=3))
    below = st.one_of(names, st.tuples(st.sampled_from(sorted(folders) or ["x"]), names))
    paths = draw(st.dictionaries(below, files, max_size=6))
    flat = {
        "/".join(path) if isinstance(path, tuple) else path: file for path, file in paths.items()
    }
    kept = {
        path: file
        for path, file in flat.items()
        if path not in folders and ("/" not in path or path.split("/")[0] in folders)
    }
    links = {"link" + str(n): name for n, name in enumerate(draw(st.sets(names, max_size=2)))}
    links = {path: to for path, to in links.items() if path not in kept and path not in folders}
    return Contents(kept, links, frozenset(folders))


def a_file(**changes):
    return File(**({"size": 3, "mtime_ns": 5, "mode": 0o644, "sha256": HASH} | changes))


def a_stat(**changes):
    return Stat(**({"size": 3, "mtime_ns": 5, "mode": 0o644, "inode": 1, "ctime_ns": 6} | changes))


def plain(**changes):
    """The JSON of a small manifest, with parts of its one dataset replaced."""
    whole = Manifest(WS221, {"c_elegans": "c_elegans_WS221"}, {GENE: Contents({"list": a_file()})})
    value = json.loads(whole.to_bytes())
    value["datasets"][str(GENE)].update(changes)
    return value


def parse(value):
    return Manifest.parse(json.dumps(value).encode(), WS221)


@given(contents())
def test_parse_gives_back_what_was_written(what):
    manifest = Manifest(WS221, {"c_elegans": "c_elegans_WS220"}, {GENE: what})
    data = manifest.to_bytes()
    assert Manifest.parse(data, WS221) == manifest
    assert Manifest.parse(data, WS221).to_bytes() == data


@given(contents())
def test_to_bytes_does_not_depend_on_the_order(what):
    backwards = Contents(dict(reversed(what.files.items())), what.links, what.folders)
    one, other = (Manifest(WS221, {}, {GENE: each}) for each in (what, backwards))
    assert one.to_bytes() == other.to_bytes()


@given(contents(), contents())
def test_digest_is_that_of_the_content(one, other):
    same = (one.hashes(), one.links, one.folders) == (other.hashes(), other.links, other.folders)
    if not same:
        assert one.digest != other.digest


def test_digest_does_not_depend_on_times():
    assert Contents({"a": a_file()}).digest == Contents({"a": a_file(mtime_ns=9)}).digest


@pytest.mark.parametrize(
    "other",
    [
        Contents({"a": a_file(sha256="cd" * 32)}),
        Contents({"b": a_file()}),
        Contents({"a": a_file(mode=0o755)}),
        Contents({"a": a_file()}, {"l": "a"}),
        Contents({"a": a_file()}, {}, frozenset({"d"})),
    ],
)
def test_digest_depends_on_everything_else(other):
    assert Contents({"a": a_file()}).digest != other.digest


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "", "a//b", "./a", "a/.", "a\0b", "a/b"]
)
def test_parse_refuses_a_path_that_leaves_or_has_no_folder(path):
    file = plain()["datasets"][str(GENE)]["files"]["list"]
    with pytest.raises(BadData, match="leaves its dataset"):
        parse(plain(files={path: file}))


def test_parse_refuses_a_path_that_no_file_can_have():
    file = plain()["datasets"][str(GENE)]["files"]["list"]
    with pytest.raises(BadData, match="can not be read"):
        parse(plain(files={"\ud800": file}))


def test_parse_refuses_a_path_below_a_link():
    file = plain()["datasets"][str(GENE)]["files"]["list"]
    with pytest.raises(BadData):
        parse(plain(files={"link/a": file}, links={"link": "deep"}))


@pytest.mark.parametrize("folders", [["list"], ["a", "../b"]])
def test_parse_refuses_a_folder_that_is_a_file_or_leaves(folders):
    with pytest.raises(BadData):
        parse(plain(folders=folders))


@pytest.mark.parametrize("target", ["/etc", "..", "a/../../b", "x/.."])
def test_parse_refuses_a_link_that_leaves(target):
    with pytest.raises(BadData, match="is a link to"):
        parse(plain(links={"link": target}))


@pytest.mark.parametrize("target", ["/etc", "a/../../b"])
def test_parse_takes_a_link_that_leaves_a_webapp(target):
    release = Release.parse("WS221-2010.12.24-0.02-1350")
    dataset = Dataset.parse(f"webapp/{release}")
    data = Manifest(release, {}, {dataset: Contents({}, {"link": target})}).to_bytes()
    assert Manifest.parse(data, release).of(dataset).links == {"link": target}


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "x"},
        {"size": -1},
        {"size": "3"},
        {"mode": True},
        {"more": 1},
    ],
)
def test_parse_refuses_a_file_that_is_none(change):
    file = plain()["datasets"][str(GENE)]["files"]["list"] | change
    with pytest.raises(BadData):
        parse(plain(files={"list": file}))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"name": "WS222"},
        {"name": "../WS221"},
        {"databases": {"../x": "c_elegans_WS221"}},
        {"databases": {"c_elegans": "../c_elegans_WS221"}},
        {"datasets": {"mysql/../x": {"files": {}, "links": {}, "folders": []}}},
        {"datasets": {str(GENE): {"files": {}}}},
        {"datasets": []},
    ],
)
def test_parse_refuses_a_manifest_that_is_another_or_broken(change):
    with pytest.raises(BadData, match="manifest of WS221 can not be read"):
        parse(plain() | change)


@given(st.binary(max_size=40))
def test_parse_refuses_anything_else(data):
    with pytest.raises(BadData):
        Manifest.parse(data, WS221)


def test_of_a_dataset_that_is_not_in_it():
    with pytest.raises(BadRequest, match="WS221 has no dataset support/WS221/blast"):
        parse(plain()).of(Dataset.parse("support/WS221/blast"))


def test_changed_nothing():
    assert Contents({"a": a_file()}).changed(Found({"a": a_stat(inode=9, ctime_ns=9)})) == []


@pytest.mark.parametrize(
    ("found", "changed"),
    [
        (Found({"a": a_stat(size=4)}, {"l": "a"}), ["a"]),
        (Found({"a": a_stat(mtime_ns=6)}, {"l": "a"}), ["a"]),
        (Found({}, {"l": "a"}), ["a"]),
        (Found({"a": a_stat(), "b": a_stat()}, {"l": "a"}), ["b"]),
        (Found({"a": a_stat()}, {"l": "b"}), ["l"]),
        (Found({"a": a_stat()}), ["l"]),
        (Found({"a": a_stat()}, {"l": "a"}, frozenset({"d"})), ["d"]),
        (Found({"a": a_stat()}, {"l": "a"}, odd={"pipe": "is no file"}), ["pipe"]),
    ],
)
def test_changed_names_the_path(found, changed):
    assert Contents({"a": a_file()}, {"l": "a"}).changed(found) == changed


@pytest.mark.parametrize(
    ("path", "target", "fine"),
    [
        ("link", "a", True),
        ("d/link", "../a", True),
        ("d/e/link", "../../a/b", True),
        ("link", "a/b/c", True),
        ("link", "../a", False),
        ("d/link", "../../a", False),
        ("d/link", "a/../b", False),
        ("link", "/etc", False),
        ("link", "..", False),
    ],
)
def test_link_problem(path, target, fine):
    dataset = Dataset.parse("mysql/c_elegans_WS221")
    assert (manifests.link_problem(dataset, path, target) == "") == fine


@pytest.mark.parametrize(
    ("dataset", "target", "fine"),
    [
        ("support/WS221/gene", "/usr/local/wormbase/databases/WS221/gene/list", True),
        ("support/WS221/gene", "/usr/local/wormbase/databases/WS221/ontology", True),
        ("support/WS221/gene", "/usr/local/wormbase/databases/WS2210/gene/list", False),
        ("support/WS221/gene", "/usr/local/wormbase/databases/WS220/gene/list", False),
        ("support/WS221/gene", "/usr/local/wormbase/databases/WS221/../WS220/gene", False),
        ("acedb/wormbase_WS221", "/usr/local/wormbase/acedb/wormbase_WS221/wspec", True),
        ("acedb/wormbase_WS221", "/usr/local/wormbase/acedb/bin", False),
    ],
)
def test_an_absolute_link_may_lead_to_the_place_of_its_own_build(dataset, target, fine):
    one = Dataset.parse(dataset)
    assert (manifests.link_problem(one, "a/link", target) == "") == fine
    sealed = Manifest(
        Build(221), {}, {one: Contents({}, {"a/link": target}, frozenset({"a"}))}
    ).to_bytes()
    if fine:
        assert Manifest.parse(sealed, Build(221)).to_bytes() == sealed
    else:
        with pytest.raises(BadData, match="absolute path"):
            Manifest.parse(sealed, Build(221))


def test_changed_passes_over_the_time_of_what_the_server_writes_anew():
    assert Contents({"t.CSM": a_file()}).changed(Found({"t.CSM": a_stat(mtime_ns=6)})) == []
    assert Contents({"t.CSM": a_file()}).changed(Found({"t.CSM": a_stat(size=4)})) == ["t.CSM"]


@given(names)
def test_shown_is_one_printable_line(name):
    shown = manifests.shown(name)
    assert shown.isascii()
    assert shown.isprintable()


@pytest.mark.parametrize("name", ["WS221", "WS221-2010.12.24-0.02-1350"])
def test_parse_name(name):
    assert str(manifests.parse_name(name)) == name


@pytest.mark.parametrize("name", ["WS221-", "-", "ws221", "../WS221", None])
def test_parse_name_refuses_anything_else(name):
    with pytest.raises(BadRequest):
        manifests.parse_name(name)


@pytest.mark.parametrize("text", ["", "x" * 64, "AB" * 32, HASH + "\n", None, 5])
def test_parse_digest_refuses_what_is_none(text):
    with pytest.raises(BadRequest):
        manifests.parse_digest(text)


def test_parse_digest():
    assert manifests.parse_digest(HASH) == HASH


def test_bytes_of_what_was_found_and_sealed():
    assert Found({"a": a_stat(), "b": a_stat()}).bytes == 6
    assert Contents({"a": a_file(), "b": a_file(size=4)}).bytes == 7
