"""The lab's webapp as tests use it: a real repository, and its libraries beside it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.webapp.checkout import WEBSITE


def hg(staging: Path, *arguments: str) -> str:
    """What Mercurial prints in the checkout; whoever runs the tests needs no configuration."""
    settings = ("--config", "ui.username=tester")
    command = ["hg", "--cwd", staging, *settings, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def git(staging: Path, *arguments: str) -> str:
    """What git prints in the checkout; whoever runs the tests needs no configuration."""
    settings = ("-c", "user.name=tester", "-c", "user.email=tester@localhost")
    command = ["git", "-C", staging, "-c", f"safe.directory={staging}", *settings, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def to_git(staging: Path) -> None:
    """Make a checkout of Mercurial, with what is in it, one of git with two commits."""
    shutil.rmtree(staging / ".hg")
    (staging / ".gitignore").write_text("logs\ntmp\nextlib\nwormbase_local.conf\n")
    git(staging, "init", "--quiet", "--initial-branch=master")
    git(staging, "add", ".")
    git(staging, "commit", "--quiet", "--message=all")
    commit_change(staging)


def make_staging(staging: Path, extlib: Path | None = None) -> None:
    """A checkout of the webapp at revision 1, with libraries, local settings and logs."""
    shutil.copytree(WEBSITE, staging)
    hg(staging, "init")
    hg(staging, "commit", "--addremove", "-m", "all", "-q")
    commit_change(staging)
    if extlib:
        shutil.copytree(extlib, staging / "extlib")
    else:
        (staging / "extlib/lib/perl5").mkdir(parents=True)
        (staging / "extlib/lib/perl5/Some.pm").write_text("1;\n")
    (staging / "wormbase_local.conf").write_text("site_name = local\n")
    (staging / "logs").mkdir()
    (staging / "logs/old.log").write_text("old\n")
    (staging / "tmp").mkdir()


def commit_change(staging: Path) -> None:
    """One more revision."""
    with (staging / "README").open("a") as readme:
        readme.write("changed\n")
    if (staging / ".git").exists():
        git(staging, "commit", "--all", "--quiet", "--message=readme: change")
    else:
        hg(staging, "commit", "-m", "readme: change", "-q")
