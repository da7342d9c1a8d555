"""The webapp's checkout and the releases made of it, with a real Mercurial."""

from __future__ import annotations

import shutil
import subprocess
import tarfile

import pytest
from salt.exceptions import CommandExecutionError
from starmen import free_port, get, make_release, starman, wait_until
from websites import commit_change, hg, make_staging

RELEASE = "WS221-2010.12.24-0.02-1"


@pytest.fixture
def staging(layout):
    make_staging(layout.staging)
    return layout.staging


def test_staged_clean_checkout(modules, staging):
    assert modules["wb_webapp.staged"]() == {
        "webapp": "0.02",
        "revision": 1,
        "tip": 1,
        "modified": [],
        "rewritten": [],
    }


def test_staged_names_releases_of_a_commit_that_was_amended(modules, staging):
    modules["wb_webapp.assemble"](RELEASE)
    (staging / "README").write_text("other\n")
    hg(staging, "commit", "--amend", "-m", "other")

    staged = modules["wb_webapp.staged"]()
    assert (staged["revision"], staged["modified"]) == (1, [])
    assert staged["rewritten"] == [RELEASE]


def test_staged_changed_files_are_named_and_strangers_are_not(modules, staging):
    (staging / "README").write_text("other\n")
    (staging / "untracked").write_text("new\n")
    assert modules["wb_webapp.staged"]()["modified"] == ["README"]


def test_staged_without_a_checkout_says_so(modules, layout):
    with pytest.raises(CommandExecutionError, match=r"lib/WormBase/Web\.pm"):
        modules["wb_webapp.staged"]()


def test_assemble_holds_what_a_release_needs(modules, layout, staging):
    assert modules["wb_webapp.assemble"](RELEASE) == {"release": RELEASE, "already": False}
    place = layout.website / RELEASE
    assert (place / "VERSION.txt").read_text() == (
        "DATE=2010.12.24\nDATABASE_VERSION=WS221\nSOFTWARE_VERSION=0.02\nCHANGESET=1\n"
        f"CHANGESET_HASH={hg(staging, 'log', '--rev', '.', '--template', '{node}')}\n"
    )
    assert "[%" not in (place / "wormbase.env").read_text()
    assert 'export APP="production"' in (place / "wormbase.env").read_text()
    assert (place / "extlib/lib/perl5/Some.pm").exists()
    assert (place / "wormbase_local.conf").exists()
    assert [entry.name for entry in (place / "logs").iterdir()] == []
    assert (place / "logs").stat().st_mode & 0o777 == 0o777
    assert not (place / ".hg").exists() and not (place / "tmp").exists()
    readme = place / "README"
    assert readme.stat().st_nlink == 1
    assert readme.stat().st_ino != (staging / "README").stat().st_ino


def test_an_editors_backup_does_not_ship(modules, layout, staging):
    (staging / "wormbase_local.conf~").write_text("password\n")
    modules["wb_webapp.assemble"](RELEASE)
    modules["wb_software.publish"](RELEASE)
    with tarfile.open(layout.software / f"{RELEASE}.tgz") as archive:
        assert f"{RELEASE}/wormbase_local.conf~" not in archive.getnames()
    assert not (layout.website / RELEASE / "wormbase_local.conf~").exists()


def test_assemble_takes_what_is_tracked_and_what_the_pillar_lists(load, pillar, layout, staging):
    strangers = ("wormbase_local.conf~", "lib/WormBase/#Web.pm#", "notes/todo", "root/data/own")
    for name in (*strangers, "root/data/listed.txt", "certs/ca/root.pem"):
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_text("password\n")
    untracked = ["extlib", "certs", "root/data/*.txt"]
    functions = load("node", {**pillar, "webapp": {"untracked": untracked}})
    functions["wb_webapp.assemble"](RELEASE)
    place = layout.website / RELEASE
    for name in (*strangers, "wormbase_local.conf"):
        assert not (place / name).exists()
    assert not (place / "notes").exists()
    for name in ("root/data/listed.txt", "certs/ca/root.pem", "extlib/lib/perl5/Some.pm"):
        assert (place / name).is_file()
    for name in hg(staging, "files").splitlines():
        assert (place / name).is_file()


def test_publish_has_only_what_is_tracked(load, pillar, layout, staging):
    for name in ("wormbase_local.conf~", "certs/key.pem", "lib/secret"):
        (staging / name).parent.mkdir(parents=True, exist_ok=True)
        (staging / name).write_text("password\n")
    listed = ["extlib", "wormbase_local.conf", "certs", "lib/secret"]
    functions = load("node", {**pillar, "webapp": {"untracked": listed}})
    functions["wb_webapp.assemble"](RELEASE)
    assert (layout.website / RELEASE / "certs/key.pem").exists()
    functions["wb_software.publish"](RELEASE)
    with tarfile.open(layout.software / f"{RELEASE}.tgz") as archive:
        files = {one.name.partition("/")[2] for one in archive if one.isfile()}
    assert files == {*hg(staging, "files").splitlines(), "VERSION.txt", "wormbase.env"}


def test_assemble_does_not_write_through_links_of_the_checkout(modules, layout, staging, tmp_path):
    targets = {name: tmp_path / name for name in ("wormbase.env", "VERSION.txt")}
    for name, target in targets.items():
        target.write_text("of root\n")
        (staging / name).symlink_to(target)
    commit_change(staging)
    modules["wb_webapp.assemble"]("WS221-2010.12.24-0.02-2")
    place = layout.website / "WS221-2010.12.24-0.02-2"
    for name, target in targets.items():
        assert target.read_text() == "of root\n"
        assert not (place / name).is_symlink() and (place / name).stat().st_mode & 0o777 == 0o644


def test_assemble_does_not_read_the_template_through_a_link(modules, staging, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of root\n")
    template = staging / "wormbase.env.template"
    template.unlink()
    template.symlink_to(secret)
    commit_change(staging)
    with pytest.raises(CommandExecutionError, match="not a link"):
        modules["wb_webapp.assemble"]("WS221-2010.12.24-0.02-2")


def test_assemble_without_extlib_is_for_webapps_that_bring_none(load, pillar, layout, staging):
    shutil.rmtree(staging / "extlib")
    with pytest.raises(CommandExecutionError, match="has no extlib"):
        load("node", pillar)["wb_webapp.assemble"](RELEASE)
    load("node", {**pillar, "webapp": {"untracked": []}})["wb_webapp.assemble"](RELEASE)
    assert (layout.website / RELEASE / "lib").is_dir()


def test_assemble_refuses_a_start_script_that_is_not_there(load, pillar, layout, staging):
    own = {"start_script": "bin/starman-staging.sh"}
    with pytest.raises(CommandExecutionError, match=r"no file bin/starman-staging\.sh"):
        load("node", {**pillar, "webapp": own})["wb_webapp.assemble"](RELEASE)
    own = {"start_script": "bin/starman-production.sh"}
    load("node", {**pillar, "webapp": own})["wb_webapp.assemble"](RELEASE)


def test_assemble_twice_leaves_the_first(modules, layout, staging):
    modules["wb_webapp.assemble"](RELEASE)
    inode = (layout.website / RELEASE).stat().st_ino
    commit_change(staging)
    assert modules["wb_webapp.assemble"](RELEASE)["already"]
    assert (layout.website / RELEASE).stat().st_ino == inode


def test_assemble_after_one_that_died(modules, layout, staging):
    left = layout.website / ".incoming" / RELEASE
    left.mkdir(parents=True)
    (left / "half").write_text("")
    modules["wb_webapp.assemble"](RELEASE)
    assert not (layout.website / RELEASE / "half").exists()
    assert not left.exists()


def test_assemble_refuses_changes(modules, layout, staging):
    (staging / "README").write_text("other\n")
    with pytest.raises(CommandExecutionError, match="not committed, such as README"):
        modules["wb_webapp.assemble"](RELEASE)
    assert not (layout.website / RELEASE).exists()


def test_assemble_refuses_an_older_revision(modules, staging):
    hg(staging, "update", "0", "-q")
    with pytest.raises(CommandExecutionError, match="stands at revision 0, and tip is 1"):
        modules["wb_webapp.assemble"](RELEASE)


@pytest.mark.parametrize("release", ["WS221-2010.12.24-0.02-7", "WS221-2010.12.24-0.03-1"])
def test_assemble_refuses_what_is_not_there(modules, staging, release):
    with pytest.raises(CommandExecutionError, match=r"is 0\.02 at revision 1"):
        modules["wb_webapp.assemble"](release)


def test_publish_leaves_out_what_is_not_for_the_public(modules, layout, staging):
    modules["wb_webapp.assemble"](RELEASE)
    made = modules["wb_software.publish"](RELEASE)
    tarball = layout.software / f"{RELEASE}.tgz"
    assert made == {
        "tarball": str(tarball),
        "bytes": tarball.stat().st_size,
        "already": False,
    }
    current = layout.software / "current.tgz"
    assert current.is_symlink() and current.readlink().name == tarball.name
    with tarfile.open(current) as archive:
        names = [name.partition("/")[2].split("/")[0] for name in archive.getnames()]
        assert {entry.uid for entry in archive} == {0}
    assert {"lib", "bin", "README", "VERSION.txt"} <= set(names)
    assert not {"logs", ".hg", "extlib", "wormbase_local.conf"} & set(names)


def test_publish_moves_current_to_the_release(modules, layout, staging):
    for release in (RELEASE, "WS222-2011.01.31-0.02-1"):
        modules["wb_webapp.assemble"](release)
        modules["wb_software.publish"](release)
    assert (layout.software / "current.tgz").readlink().name == "WS222-2011.01.31-0.02-1.tgz"
    assert modules["wb_software.publish"](RELEASE)["already"]
    assert (layout.software / "current.tgz").readlink().name == f"{RELEASE}.tgz"


def test_publish_again_needs_the_tarball_alone(modules, layout, staging):
    for release in (RELEASE, "WS222-2011.01.31-0.02-1"):
        modules["wb_webapp.assemble"](release)
        modules["wb_software.publish"](release)
    shutil.rmtree(layout.website / RELEASE)

    assert modules["wb_software.publish"](RELEASE)["already"]
    assert (layout.software / "current.tgz").readlink().name == f"{RELEASE}.tgz"


def test_publish_of_a_release_that_is_not_here(modules, layout):
    with pytest.raises(CommandExecutionError, match="not in website/"):
        modules["wb_software.publish"](RELEASE)


def test_reference_is_a_copy_and_replaces_the_one_before(modules, layout, staging):
    for release in (RELEASE, "WS222-2011.01.31-0.02-1"):
        modules["wb_webapp.assemble"](release)
        assert not modules["wb_software.reference"](release)["already"]
        assert modules["wb_software.reference"](release)["already"]
    assert not layout.production.is_symlink()
    assert "WS222" in (layout.production / "VERSION.txt").read_text()
    assert sorted(path.name for path in layout.website.glob(".production*")) == []


@pytest.fixture
def systemd(tmp_path, monkeypatch):
    """A ``systemctl`` that knows a unit with a reload, or without: ``systemd("yes")``."""

    def systemd(can_reload):
        program = tmp_path / "systemctl"
        program.write_text(f"#!/bin/sh\n[ $1 != show ] || echo {can_reload}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    return systemd


@pytest.mark.parametrize(
    ("unit", "running", "can"),
    [("yes", True, True), ("no", True, False), ("yes", False, False)],
    ids=["the project's", "changed, not restarted", "its own script, not restarted"],
)
def test_the_webapp_can_be_reloaded_as_long_as_its_unit_is_the_project_s(
    modules, layout, systemd, unit, running, can
):
    systemd(unit)
    if running:
        layout.starman_generations.parent.mkdir(parents=True)
        layout.starman_generations.write_text("1:4711\n")
    assert modules["wb_webapp.can_reload"]() is can


def test_a_stop_of_the_webapp_leaves_no_restart_due(modules, layout, systemd):
    systemd("yes")
    layout.due.mkdir(parents=True)
    (layout.due / "wormbase-starman").touch()
    modules["wb_webapp.stop"]()
    assert modules["wb_service.due"]() == []


@pytest.fixture
def port():
    return free_port()


def test_a_starman_that_was_started_by_hand_ends_when_the_webapp_is_stopped(
    load, layout, systemd, port
):
    systemd("yes")
    place = make_release(layout.website / RELEASE)
    modules = load("node", {"webapp": {"port": port}})
    with starman(place / "app.psgi", port, place) as server:
        modules["wb_webapp.stop"]()
        assert server.wait(10) is not None and get(port) == 0


def test_what_is_no_starman_is_not_ended_for_its_port(load, systemd, port):
    systemd("yes")
    modules = load("node", {"webapp": {"port": port}})
    argv = ["/usr/bin/python3", "-m", "http.server", "--bind=127.0.0.1", str(port)]
    server = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: get(port) == 200)
        with pytest.raises(CommandExecutionError, match=r"held by python3\S*, which is no Starman"):
            modules["wb_webapp.stop"]()
        assert get(port) == 200
    finally:
        server.terminate()
        server.wait()
