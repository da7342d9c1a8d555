"""Running commands of the machine, by argument lists."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class LabError(Exception):
    """What went wrong, in a sentence for the person at the terminal."""


def run(
    *args: str | Path,
    check: bool = True,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
    cwd: Path | None = None,
) -> str:
    """Run a command and return what it prints; with ``log`` its whole output goes there.

    Raises LabError with the last lines of the output when it fails and ``check`` is set.
    """
    words = [str(arg) for arg in args]
    if shutil.which(words[0]) is None:
        if check:
            raise LabError(f"this machine has no command {words[0]}")
        return ""
    done = subprocess.run(
        words,
        check=False,
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if log else subprocess.PIPE,
        text=True,
        errors="replace",
        cwd=cwd,
        env={**os.environ, **env} if env else None,
    )
    if log:
        with log.open("a", encoding="utf-8") as out:
            out.write(f"$ {' '.join(words)}\n{done.stdout}")
    if check and done.returncode != 0:
        raise LabError(_failure(words, done, log))
    return done.stdout


def _failure(words: Sequence[str], done: subprocess.CompletedProcess[str], log: Path | None) -> str:
    said = (done.stdout if log else done.stderr or done.stdout).strip().splitlines()
    tail = "\n".join(said[-8:])
    where = f" (all of it in {log})" if log else ""
    return f"{' '.join(words)[:200]} ended with exit code {done.returncode}{where}:\n{tail}"
