"""Real AceDB databases for tests, loaded by tace."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from lab.builds import acedb

DAF_2 = "WBGene00000898"


def database(programs: Path, directory: Path, build: str, genes: int = 1) -> None:
    """A database of so many genes, daf-2 the first."""
    (directory / "database").mkdir(parents=True)
    shutil.copytree(programs / "share/acedb/wspec", directory / "wspec")
    acedb.specify(directory / "wspec", build)
    text = directory.with_name("genes.ace")
    names = [DAF_2, *(f"WBGene{number:08}" for number in range(1, genes))]
    text.write_text(
        "\n".join(f'Gene : "{name}"\nPublic_name "daf-2 of {build}"\n' for name in names)
    )
    subprocess.run(
        [programs / "bin/tace", directory],
        input=f"y\nparse {text}\nsave\nquit\n",
        text=True,
        check=True,
        timeout=60,
        capture_output=True,
    )
