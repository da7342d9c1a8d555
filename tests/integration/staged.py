"""What the builders and the webapp's authors leave on the development server, made small."""

from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path

from wbcore.datasets import ACEDB, SUPPORT
from wbcore.layout import Layout
from wbcore.names import Build

BIG = 400_000
SMALL_FILES = 12


def build(layout: Layout, name: str, ready: bool = False) -> None:
    """Stage a build: an AceDB database and two folders of support databases, no MySQL;
    and its release notes."""
    random_bytes = random.Random(name).randbytes
    support = layout.kind(SUPPORT) / name
    files = {
        layout.kind(ACEDB) / f"wormbase_{name}" / "database" / "block1.wrm": random_bytes(4096),
        support / "ontology" / f"gene_ontology.{name}.obo": random_bytes(BIG),
    }
    for number in range(SMALL_FILES):
        files[support / "gene" / f"{number}.txt"] = random_bytes(100)
    files[layout.notes(Build.parse(name))] = f"Notes of {name}".encode()
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if ready:
        declare_ready(layout, name)


def declare_ready(layout: Layout, name: str) -> None:
    """Do what the builders' last step does."""
    mark = layout.build(Build.parse(name)) / "READY"
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()


def contents(layout: Layout, name: str) -> dict[str, bytes]:
    """Every file of the support databases of a build on a node."""
    home = layout.kind(SUPPORT) / name
    return {
        str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()
    }


def webapp(layout: Layout) -> None:
    """Make ``website/staging`` a Mercurial checkout with one revision of the webapp."""
    checkout = layout.staging
    module = checkout / "lib" / "WormBase" / "Web.pm"
    module.parent.mkdir(parents=True)
    module.write_text("package WormBase::Web;\nour $VERSION = '0.02';\n1;\n")
    (checkout / "wormbase.env.template").write_text("export APP=[% app %]\n")
    for words in (["init"], ["commit", "--addremove", "-q", "-m", "first", "-u", "tests"]):
        _hg(checkout, words)


def _hg(checkout: Path, words: list[str]) -> None:
    environment = {**os.environ, "HGPLAIN": "1", "HGRCPATH": ""}
    subprocess.run(["hg", *words], cwd=checkout, env=environment, check=True)
