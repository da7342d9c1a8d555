"""What the development server has announced of its builds, and what the master answered.

It lies on disk: a minion that restarts neither forgets an answer nor announces anew.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wbcore.layout import Layout
from wbcore.names import Build

import wbnode.files

# Announced at once, and again at this distance until the master has answered.
AGAIN_SECONDS = 60


@dataclass(frozen=True)
class Announced:
    """The beacon's memory."""

    layout: Layout

    def due(self, builds: Mapping[str, bool], now: float) -> Build | None:
        """The newest build that is ``READY``, if it has to be announced now.

        builds
            Every staged build, and whether it is ``READY``.
        now
            Seconds since 1970.
        """
        ready = [Build.parse(name) for name, is_ready in builds.items() if is_ready]
        self._forget_all_but(ready)
        newest = max(ready, default=None)
        if newest is None or self.layout.acknowledged(newest).exists():
            return None
        last = self._last()
        # The clock may have been set back since.
        if last.get("build") == str(newest) and abs(now - last["at"]) < AGAIN_SECONDS:
            return None
        return newest

    def note(self, build: Build, now: float) -> None:
        """Remember that a build was announced."""
        text = json.dumps({"build": str(build), "at": now})
        wbnode.files.write_whole(self.layout.announced, text.encode())

    def acknowledge(self, build: Build, answer: str) -> None:
        """Remember what the master answered: the build is not announced again."""
        wbnode.files.write_whole(
            self.layout.acknowledged(build), json.dumps({"answer": answer}).encode()
        )

    def _last(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.layout.announced.read_bytes()))
        except (FileNotFoundError, ValueError):
            return {}

    def _forget_all_but(self, ready: list[Build]) -> None:
        """A build whose ``READY`` was taken away lands anew when it comes back."""
        kept = {self.layout.acknowledged(build) for build in ready}
        for path in self.layout.acknowledgements.glob("*.json"):
            if path not in kept:
                wbnode.files.remove(path)
