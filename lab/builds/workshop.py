"""Where builds are made: the programs of a node's own base, beside every node."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..command import run

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Workshop:
    """A directory in which commands of the base work; they see it as ``/build``.

    ``layers`` are directories as for an overlay's ``lowerdir``, uppermost first.
    """

    directory: Path
    layers: Sequence[Path]

    def run(self, *command: str, stdin: str | None = None) -> str:
        """What a command of the base prints; LabError when it fails."""
        lower = ":".join(map(str, self.layers))
        return run(
            "unshare",
            "--mount",
            "sh",
            HERE / "files" / "workshop.sh",
            lower,
            self.directory,
            *command,
            stdin=stdin,
        )
