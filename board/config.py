"""What a site sets of the board: ``wormbase_board`` in the master's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from wbcore.errors import BadRequest

WHERE = "wormbase_board in the master's configuration"


@dataclass(frozen=True)
class Config:
    """Where the board listens, and how long a session lasts.

    address, port
        ``0.0.0.0`` is every address of the master.
    certificate, key
        PEM files that the board's user can read.
    idle_minutes, hours
        A session ends when nobody has used it for so long, and in any case after so many hours.
    streams
        How many pages may be open that follow a run as it goes; further ones stand still.
    """

    address: str = "0.0.0.0"
    port: int = 8443
    certificate: str = "/etc/wormbase-board/certificate.pem"
    key: str = "/etc/wormbase-board/key.pem"
    idle_minutes: int = 30
    hours: int = 8
    streams: int = 60

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Config:
        """The settings as they are given; BadRequest names all that are wrong."""
        kinds = {name: type(default) for name, default in vars(cls()).items()}
        wrong = [
            name for name, value in given.items() if type(value) is not kinds.get(name, object)
        ]
        if wrong:
            raise BadRequest(
                f"{', '.join(sorted(map(str, wrong)))} in {WHERE} can not be used",
                f"it takes {', '.join(kinds)}",
            )
        return cls(**given)
