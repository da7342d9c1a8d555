"""``website/staging`` on the development server: a Mercurial repository with a history."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..command import LabError
from .extlib import unpack

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..node import Node

WEBSITE = Path(__file__).resolve().parent / "website"
STAGING = "/usr/local/wormbase/website/staging"
_HGRC = "[ui]\nusername = WormBase developer <webdev@wb-dev>\n"
# What only this site has is no part of the repository, nor of a software release.
_LOCAL = """\
site_name = WormBase of this cluster
<Model::WormBaseAPI>
  <args>
    <database>
      <acedb>
        host = localhost
      </acedb>
    </database>
  </args>
</Model::WormBaseAPI>
"""
_LIB = "lib/WormBase"


@dataclass(frozen=True)
class Commit:
    """One changeset: its message, its date (UTC) and the files that it brings."""

    message: str
    date: str
    paths: tuple[str, ...]


HISTORY = (
    Commit(
        "readme: what the webapp is", "2010-11-02 09:10", ("README", ".hgignore", "Makefile.PL")
    ),
    Commit(
        "starman: start and stop it", "2010-11-09 14:32", ("bin", "script", "wormbase.env.template")
    ),
    Commit(
        "models: ask AceDB and MySQL",
        "2010-11-23 11:05",
        ("wormbase.conf", f"{_LIB}/API", f"{_LIB}/Web/Model"),
    ),
    Commit("pages: genes", "2010-12-07 16:48", (f"{_LIB}/Web/Controller/Gene.pm", "root")),
    Commit("web: tell the release that is served", "2010-12-20 10:21", ("lib",)),
)


def check_out(cluster: Cluster) -> None:
    """Make the checkout on wb-dev anew, with its history, its libraries and local settings."""
    node = cluster.node("wb-dev")
    place = Path(f"/proc/{node.init}/root{STAGING}")
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(WEBSITE, place)
    _mercurial(node, "init")
    (place / ".hg/hgrc").write_text(_HGRC)
    for commit in HISTORY:
        _mercurial(node, "add", "-q", *commit.paths)
        _mercurial(node, "commit", "-m", commit.message, "-d", f"{commit.date} UTC")
    unpack(place / "extlib")
    (place / "wormbase_local.conf").write_text(_LOCAL)
    (place / "logs").mkdir()


def _mercurial(node: Node, *arguments: str) -> None:
    done = node.call("hg", "--cwd", STAGING, *arguments)
    if done.returncode != 0:
        said = done.stderr.strip() or done.stdout.strip()
        raise LabError(f"hg {arguments[0]} failed on {node.name}: {said}")
