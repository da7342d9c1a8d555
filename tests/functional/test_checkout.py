"""The checkout of the webapp, made by a real Mercurial or git, and what belongs to others in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError
from wbcore.errors import BadData, BadRequest
from wbnode.webapp.checkout import Checkout
from websites import commit_change, git, hg, make_staging, to_git

NOBODY, NOGROUP = 65534, 65534
# The number of the revision that both make: Mercurial counts from 0, git the commits.
REVISION = {"hg": 1, "git": 2}


@pytest.fixture(params=["hg", "git"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def staging(layout, kind) -> Path:
    make_staging(layout.staging)
    if kind == "git":
        to_git(layout.staging)
    return layout.staging


@pytest.fixture
def release(kind) -> str:
    return f"WS221-2010.12.24-0.02-{REVISION[kind]}"


def tags(staging: Path, kind: str) -> list[str]:
    if kind == "git":
        return git(staging, "tag").split()
    return sorted({*hg(staging, "tags", "--template", "{tag}\n").split()} - {"tip"})


def test_staged(modules, staging, kind):
    (staging / "stranger").write_text("new\n")
    assert modules["wb_webapp.staged"]() == {
        "webapp": "0.02",
        "revision": REVISION[kind],
        "tip": REVISION[kind],
        "modified": [],
        "rewritten": [],
    }


def test_modified_names_what_is_not_committed(staging, kind):
    (staging / "README").write_text("other\n")
    (staging / "bin/new").write_text("new\n")
    subprocess.run([kind, "add", "bin/new"], cwd=staging, check=True)
    (staging / "wormbase.env.template").unlink()
    found = ["README", "bin/new", "wormbase.env.template"]
    assert sorted(Checkout(staging).modified()) == found


def test_assemble_takes_tracked_files_and_no_history(modules, layout, staging, release):
    odd = "root/a b\u00e4 c"
    (staging / odd).write_text("odd\n")
    (staging / "stranger").write_text("password\n")
    subprocess.run([*_tool(staging), "add", odd], cwd=staging, check=True)
    commit_change(staging)
    name = f"{release[:-1]}{int(release[-1]) + 1}"
    modules["wb_webapp.assemble"](name)
    place = layout.website / name
    assert (place / odd).is_file() and (place / "extlib/lib/perl5/Some.pm").is_file()
    for left in (".hg", ".git", "stranger"):
        assert not (place / left).exists()
    text = (place / "VERSION.txt").read_text()
    assert f"CHANGESET_HASH={Checkout(staging).changeset()}\n" in text


def test_an_amended_commit_is_noticed(modules, staging, kind, release):
    modules["wb_webapp.assemble"](release)
    (staging / "README").write_text("other\n")
    if kind == "git":
        git(staging, "commit", "--all", "--amend", "--quiet", "--message=other")
    else:
        hg(staging, "commit", "--amend", "-m", "other")
    assert modules["wb_webapp.staged"]()["rewritten"] == [release]


def test_tag_is_given_once_and_changes_no_revision(modules, staging, kind, release):
    modules["wb_webapp.assemble"](release)
    assert modules["wb_webapp.tag"](release) == {"tag": release, "already": False}
    assert modules["wb_webapp.tag"](release) == {"tag": release, "already": True}
    assert tags(staging, kind) == [release]
    staged = modules["wb_webapp.staged"]()
    assert (staged["revision"], staged["tip"], staged["modified"]) == (REVISION[kind],) * 2 + ([],)


def test_tag_is_of_the_revision_that_was_released(modules, staging, kind, release):
    modules["wb_webapp.assemble"](release)
    released = Checkout(staging).changeset()
    commit_change(staging)
    modules["wb_webapp.tag"](release)
    assert Checkout(staging).repository.tagged(release) == released


def test_tag_of_something_else_is_left_alone(modules, staging, kind, release):
    modules["wb_webapp.assemble"](release)
    commit_change(staging)
    Checkout(staging).tag(release, Checkout(staging).changeset())
    with pytest.raises(CommandExecutionError, match=f"has the tag {release} at"):
        modules["wb_webapp.tag"](release)


def test_what_is_no_checkout_is_told(staging):
    for folder in (".hg", ".git"):
        shutil.rmtree(staging / folder, ignore_errors=True)
    with pytest.raises(BadData, match="is no checkout of the webapp"):
        Checkout(staging).revision()


# Owners


@pytest.fixture
def theirs(kind) -> Iterator[Path]:
    """A checkout that belongs to somebody else, whose configuration runs a program."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        staging = Path(folder) / "staging"
        make_staging(staging)
        if kind == "git":
            to_git(staging)
        (staging / "ran").write_text("")
        (staging / "run.sh").write_text(f"#!/bin/sh\nid -un >>{staging}/ran\ncat\n")
        (staging / "run.sh").chmod(0o755)
        for path in (staging, *staging.rglob("*")):
            os.chown(path, NOBODY, NOGROUP, follow_symlinks=False)
        yield staging


def test_a_checkout_of_somebody_else_is_read_as_its_owner(theirs, kind):
    if kind == "git":
        # A filter is a program of the configuration that git runs to compare a file.
        with (theirs / ".git/config").open("a") as config:
            config.write(f'[filter "f"]\nclean = {theirs}/run.sh\n[core]\n')
            config.write(f"fsmonitor = {theirs}/run.sh\nhooksPath = {theirs}\n")
        (theirs / ".git/info/attributes").write_text("README filter=f\n")
        (theirs / "README").touch()
    else:
        (theirs / ".hg/hgrc").write_text(f"[hooks]\npre-status = {theirs}/run.sh\n")
        os.chown(theirs / ".hg/hgrc", NOBODY, NOGROUP)
    assert Checkout(theirs).modified() == []
    # git runs the filter; nothing is run as root, and Mercurial's configuration is not read.
    assert set((theirs / "ran").read_text().split()) == ({"nobody"} if kind == "git" else set())


def test_a_tag_of_somebody_elses_checkout_is_theirs(theirs):
    Checkout(theirs).tag("WS221-2010.12.24-0.02-1", Checkout(theirs).changeset())
    metadata = [path for path in theirs.glob(".*/**/*") if path.is_file()]
    assert metadata and {path.stat().st_uid for path in metadata} == {NOBODY}


@pytest.mark.parametrize("kind", ["git"])
@pytest.mark.parametrize("whose", ["metadata", "place", "config"])
def test_nothing_runs_as_root_for_whoever_owns_a_part_of_a_checkout(theirs, whose):
    parts = {"metadata": theirs / ".git", "place": theirs, "config": theirs / ".git/config"}
    for name, path in parts.items():
        if name != whose:
            os.chown(path, 0, 0)
    # A filter is a program of the configuration that git runs to compare a file.
    with (theirs / ".git/config").open("a") as config:
        config.write(f'[filter "f"]\nclean = {theirs}/run.sh\n')
    (theirs / ".git/info/attributes").write_text("README filter=f\n")
    (theirs / "README").touch()
    assert Checkout(theirs).modified() == []
    assert set((theirs / "ran").read_text().split()) == {"nobody"}


# Git alone


@pytest.fixture
def clone(layout) -> Path:
    """A checkout of git that follows a branch elsewhere, which is a commit ahead."""
    origin = layout.website / "origin"
    make_staging(origin)
    to_git(origin)
    git(layout.website, "clone", "--quiet", str(origin), "staging")
    commit_change(origin)
    git(layout.staging, "fetch", "--quiet")
    return layout.staging


def test_a_branch_that_is_behind_is_told(clone):
    checkout = Checkout(clone)
    assert (checkout.revision(), checkout.tip()) == (2, 3)
    git(clone, "merge", "--quiet", "--ff-only", "origin/master")
    assert (checkout.revision(), checkout.tip()) == (3, 3)


def test_a_commit_that_was_not_pushed_is_the_newest(clone):
    git(clone, "merge", "--quiet", "--ff-only", "origin/master")
    commit_change(clone)
    assert Checkout(clone).tip() == 4


def test_a_branch_that_is_behind_is_refused(modules, clone):
    (clone / "extlib").mkdir()
    with pytest.raises(CommandExecutionError, match="revision 2, and tip is 3; run git pull"):
        modules["wb_webapp.assemble"]("WS221-2010.12.24-0.02-2")


def test_a_checkout_at_no_branch_is_refused(clone):
    git(clone, "checkout", "--quiet", "HEAD~1")
    with pytest.raises(BadRequest, match="at a commit and at no branch; run git checkout"):
        Checkout(clone).tip()


def test_a_shallow_clone_is_refused(layout, clone):
    shallow = layout.website / "shallow"
    source = f"file://{layout.website}/origin"
    git(layout.website, "clone", "--quiet", "--depth=1", source, str(shallow))
    with pytest.raises(BadData, match="shallow clone"):
        Checkout(shallow).revision()


def _tool(staging: Path) -> list[str]:
    return ["git"] if (staging / ".git").exists() else ["hg"]
