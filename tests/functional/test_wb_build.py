"""What is staged is told truly, and what was sealed is held to it."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from salt.exceptions import CommandExecutionError
from wbcore.build.manifest import Manifest, digest_of
from wbcore.datasets import Dataset
from wbcore.names import Build, Release
from wbnode.build.sealing import Staging


@pytest.fixture
def staged(layout, stage):
    """WS220 and then WS221 staged; ``c_briggsae`` was rebuilt for WS220 only."""
    stage(layout, "WS220", ("c_elegans", "c_briggsae"))
    stage(layout, "WS221")
    return layout


def test_builds_tells_those_that_are_staged(modules, staged):
    (staged.kind("support") / "WS999").mkdir()
    (staged.kind("support") / "old").mkdir()
    (staged.build(Build(221))).mkdir(parents=True)
    (staged.build(Build(221)) / "READY").touch()
    assert modules["wb_build.builds"]() == {"WS220": {"ready": False}, "WS221": {"ready": True}}


def test_survey_of_a_build_that_is_not_there(modules, layout):
    answer = modules["wb_build.survey"]("WS222")
    assert (answer["staged"], answer["datasets"], answer["problems"]) == (False, {}, [])


@pytest.mark.parametrize("name", ["WS", "ws221", "WS221; rm -rf /", "../WS221", "", 221])
def test_survey_refuses_what_is_no_build(modules, name):
    with pytest.raises(CommandExecutionError, match="not the name of a build"):
        modules["wb_build.survey"](name)


def test_survey_lists_the_databases_that_mysql_links_to(modules, staged):
    answer = modules["wb_build.survey"]("WS221")
    assert answer["databases"] == {
        "c_briggsae": "c_briggsae_WS220",
        "c_elegans": "c_elegans_WS221",
    }
    assert sorted(answer["datasets"]) == [
        "acedb/wormbase_WS221",
        "mysql/c_briggsae_WS220",
        "mysql/c_elegans_WS221",
        "support/WS221/gene",
        "support/WS221/ontology",
    ]
    assert answer["datasets"]["mysql/c_elegans_WS221"] == {"files": 2, "bytes": 15_000}
    assert (answer["sealed"], answer["changed"], answer["problems"]) == ("", [], [])


def _stray(layout):
    (layout.kind("support") / "WS221/README").touch()


def _absolute_link(layout):
    (layout.kind("support") / "WS221/gene/abs").symlink_to("/etc")


def _leaving_link(layout):
    (layout.kind("support") / "WS221/gene/up").symlink_to("../../WS220/gene")


def _pipe(layout):
    os.mkfifo(layout.kind("support") / "WS221/gene/pipe")


def _dangling_database(layout):
    (layout.kind("mysql") / "c_remanei").symlink_to("c_remanei_WS221")


def _foreign_database(layout):
    (layout.kind("mysql") / "c_remanei").symlink_to("c_elegans_WS221")


def _odd_folder(layout):
    (layout.kind("support") / "WS221/two words").mkdir()


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (_stray, "databases/WS221/README is no folder; move it into one"),
        (_absolute_link, "support/WS221/gene/abs is a link to the absolute path /etc"),
        (_leaving_link, "support/WS221/gene/up is a link to .*, which leaves its dataset"),
        (_pipe, "support/WS221/gene/pipe is no file, folder or link"),
        (_dangling_database, "the MySQL link c_remanei points to c_remanei_WS221, which is no"),
        (_foreign_database, "the MySQL link c_remanei: .*can not point to c_elegans_WS221"),
        (_odd_folder, "databases/WS221/two words has a name that can not travel"),
    ],
)
def test_seal_names_what_can_not_travel(modules, staged, spoil, sentence):
    spoil(staged)
    (problem,) = modules["wb_build.survey"]("WS221")["problems"]
    with pytest.raises(CommandExecutionError, match=sentence) as refused:
        modules["wb_build.seal"]("WS221")
    assert problem in str(refused.value)
    assert not staged.manifest(Build(221)).exists()


def test_seal_tells_all_that_can_not_travel_at_once(modules, staged):
    for spoil in (_stray, _absolute_link, _pipe, _foreign_database):
        spoil(staged)
    problems = modules["wb_build.survey"]("WS221")["problems"]
    assert len(problems) == 4
    with pytest.raises(CommandExecutionError, match=r"^4 things are wrong: ") as refused:
        modules["wb_build.seal"]("WS221")
    assert all(problem in str(refused.value) for problem in problems)


def test_seal_takes_an_absolute_link_into_the_place_of_the_build(modules, staged):
    target = "/usr/local/wormbase/databases/WS221/gene/list"
    (staged.kind("support") / "WS221/gene/own").symlink_to(target)
    modules["wb_build.seal"]("WS221")
    sealed = Manifest.parse(staged.manifest(Build(221)).read_bytes(), Build(221))
    assert sealed.of(Dataset.parse("support/WS221/gene")).links == {"own": target}


def test_seal_gives_the_digest_of_a_manifest_of_everything(modules, staged):
    answer = modules["wb_build.seal"]("WS221", run="1")
    data = staged.manifest(Build(221)).read_bytes()
    assert answer["digest"] == digest_of(data)
    manifest = Manifest.parse(data, Build(221))
    paths = {f"{d}/{path}" for d, contents in manifest.datasets.items() for path in contents.files}
    assert "support/WS221/ontology/a\nb" in paths
    assert "support/WS221/ontology/w\udcff\u00e4" in paths
    assert not [path for path in paths if _content(staged, path) == b"left out"]
    survey = modules["wb_build.survey"]("WS221")
    assert survey["sealed"] == answer["digest"]
    assert survey["datasets"] == answer["datasets"]
    assert json.dumps(answer)


def _content(layout, path):
    kind, _, below = path.partition("/")
    return (layout.kind(kind) / below).read_bytes()


def test_seal_makes_tables_read_only_until_the_build_is_unsealed(modules, staged):
    def mode(directory):
        return (staged.kind("mysql") / directory / "features.MYI").stat().st_mode & 0o222

    modules["wb_build.seal"]("WS221")
    assert (mode("c_elegans_WS221"), mode("c_briggsae_WS220")) == (0, 0)
    (staged.kind("mysql") / "c_elegans_WS221/features.MYI").chmod(0o660)
    modules["wb_build.seal"]("WS221")
    assert mode("c_elegans_WS221") == 0
    modules["wb_build.unseal"]("WS221")
    assert (mode("c_elegans_WS221"), mode("c_briggsae_WS220")) == (0o220, 0)


def test_seal_lets_the_carrier_into_a_database_that_a_server_made(modules, staged):
    home = staged.kind("mysql") / "c_elegans_WS221"
    home.chmod(0o2700)
    modules["wb_build.seal"]("WS221")
    assert home.stat().st_mode & 0o7777 == 0o2750


def test_seal_refuses_while_somebody_writes_and_lets_him_go_on(modules, staged, monkeypatch):
    table = staged.kind("mysql") / "c_elegans_WS221/features.MYD"
    protect = Staging.protect

    def written_meanwhile(staging, datasets):
        with table.open("ab") as stream:
            stream.write(b"one more row")
        return protect(staging, datasets)

    monkeypatch.setattr(Staging, "protect", written_meanwhile)
    with pytest.raises(CommandExecutionError, match=r"features\.MYD changed while WS221 was being"):
        modules["wb_build.seal"]("WS221")
    assert table.stat().st_mode & 0o222 == 0o220
    assert modules["wb_build.survey"]("WS221")["sealed"] == ""


def test_unseal_frees_the_tables_of_a_seal_that_broke_off(modules, staged, monkeypatch):
    monkeypatch.setattr(Staging, "make", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        modules["wb_build.seal"]("WS221")
    table = staged.kind("mysql") / "c_elegans_WS221/features.MYI"
    assert table.stat().st_mode & 0o222 == 0
    assert modules["wb_build.unseal"]("WS221") == {"name": "WS221", "was_sealed": False}
    assert table.stat().st_mode & 0o222 == 0o220


def test_seal_again_changes_nothing(modules, staged):
    first = modules["wb_build.seal"]("WS221")
    assert modules["wb_build.seal"]("WS221") == first


def test_seal_of_a_build_that_is_not_staged(modules, staged):
    with pytest.raises(CommandExecutionError, match="WS222 is not staged here"):
        modules["wb_build.seal"]("WS222")


def test_seal_of_a_build_that_was_removed_since(modules, staged):
    modules["wb_build.seal"]("WS220")
    shutil.rmtree(staged.kind("support") / "WS220")
    with pytest.raises(CommandExecutionError, match="WS220 is not staged here"):
        modules["wb_build.seal"]("WS220")


def test_seal_refuses_a_build_that_was_changed_and_names_the_file(modules, staged):
    modules["wb_build.seal"]("WS221")
    (staged.kind("support") / "WS221/gene/list").write_bytes(b"new")
    (staged.kind("support") / "WS221/gene/more").write_bytes(b"new")
    assert modules["wb_build.survey"]("WS221")["changed"] == [
        "support/WS221/gene/list",
        "support/WS221/gene/more",
    ]
    with pytest.raises(CommandExecutionError, match="gene/list was changed after WS221 was sealed"):
        modules["wb_build.seal"]("WS221")
    assert modules["wb_build.unseal"]("WS221") == {"name": "WS221", "was_sealed": True}
    modules["wb_build.seal"]("WS221")
    assert modules["wb_build.survey"]("WS221")["changed"] == []


@pytest.mark.parametrize("name", ["README", "more/file"])
def test_seal_refuses_a_build_to_which_something_was_added(modules, staged, tree, name):
    modules["wb_build.seal"]("WS221")
    tree(staged.kind("support") / "WS221", {name: b"new"})
    path = "support/WS221/" + name.split("/")[0]
    assert modules["wb_build.survey"]("WS221")["changed"] == [path]
    with pytest.raises(CommandExecutionError, match=f"{path} was changed after WS221 was sealed"):
        modules["wb_build.seal"]("WS221")


def test_seal_bears_with_what_is_left_out(modules, staged, tree):
    first = modules["wb_build.seal"]("WS221")
    tree(staged.kind("support") / "WS221", {"list.bak": b"new", "web_data/x": b"new"})
    assert modules["wb_build.seal"]("WS221") == first


def test_seal_notices_a_change_whose_time_was_put_back(modules, staged):
    modules["wb_build.seal"]("WS221")
    path = staged.kind("acedb") / "wormbase_WS221/database/block1.wrm"
    before = path.stat()
    with path.open("r+b") as stream:
        stream.write(b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(CommandExecutionError, match=r"block1\.wrm was changed after WS221"):
        modules["wb_build.seal"]("WS221")


def test_seal_bears_with_a_file_that_was_touched_only(modules, staged):
    first = modules["wb_build.seal"]("WS221")
    (staged.kind("acedb") / "wormbase_WS221/database/block1.wrm").chmod(0o666)
    assert modules["wb_build.seal"]("WS221") == first


def test_seal_refuses_a_database_that_another_build_was_sealed_with(modules, staged):
    modules["wb_build.seal"]("WS220")
    modules["wb_build.seal"]("WS221")
    modules["wb_build.unseal"]("WS221")
    (staged.kind("mysql") / "c_briggsae_WS220/features.MYD").write_bytes(b"new")
    with pytest.raises(CommandExecutionError, match=r"features\.MYD was changed after WS220 was"):
        modules["wb_build.seal"]("WS221")


def test_seal_takes_the_digest_of_an_untouched_file_from_its_record(modules, staged):
    modules["wb_build.seal"]("WS221")
    modules["wb_build.unseal"]("WS221")
    record = staged.digests(Dataset.parse("support/WS221/gene"))
    known = json.loads(record.read_text())
    known["list"][-1] = "0" * 64
    record.write_text(json.dumps(known))
    modules["wb_build.seal"]("WS221")
    assert "0" * 64 in staged.manifest(Build(221)).read_text()


def test_seal_of_a_webapp_release(modules, layout, tree):
    release = "WS221-2010.12.24-0.02-1350"
    tree(layout.website / release, {"lib/WormBase/Web.pm": b"1;", "logs/access.log": b"written"})
    answer = modules["wb_build.seal"](release)
    assert answer["datasets"][f"webapp/{release}"]["files"] == 1
    (layout.website / release / "logs/access.log").write_bytes(b"written again")
    assert modules["wb_build.seal"](release) == answer


@pytest.mark.parametrize("target", ["/srv/images", "../../../images"])
def test_a_link_that_leaves_a_webapp_is_refused_unless_the_pillar_lists_it(
    load, pillar, layout, tree, target
):
    release = "WS221-2010.12.24-0.02-1350"
    tree(layout.website / release, {"lib/WormBase/Web.pm": b"1;", "root/gbrowse/x": b""})
    (layout.website / release / "root/gbrowse/i").symlink_to(target)

    other = load("node", {**pillar, "webapp": {"outside_links": ["/gbrowse/i", "root/i"]}})
    way_out = f"root/gbrowse/i is a link to .*{target}.*webapp:outside_links in the pillar"
    with pytest.raises(CommandExecutionError, match=way_out):
        other["wb_build.seal"](release)

    allowing = load("node", {**pillar, "webapp": {"outside_links": ["root/gbrowse/i"]}})
    allowing["wb_build.seal"](release)
    name = Release.parse(release)
    sealed = Manifest.parse(layout.manifest(name).read_bytes(), name)
    assert dict(sealed.of(Dataset.parse(f"webapp/{release}")).links) == {"root/gbrowse/i": target}


def test_forget_removes_what_is_kept_about_a_purged_build(modules, staged):
    modules["wb_build.seal"]("WS220")
    staged.build(Build(220)).mkdir(parents=True)
    with pytest.raises(CommandExecutionError, match="still staged"):
        modules["wb_build.forget"]("WS220")
    shutil.rmtree(staged.kind("acedb") / "wormbase_WS220")
    shutil.rmtree(staged.kind("support") / "WS220")
    kept = [staged.build(Build(220)), staged.manifest(Build(220))]
    assert all(path.exists() for path in kept)
    assert modules["wb_build.forget"]("WS220") == {"forgotten": [str(path) for path in kept]}
    assert not any(path.exists() for path in kept)
    assert modules["wb_build.forget"]("WS220") == {"forgotten": []}
