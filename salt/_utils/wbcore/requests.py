"""What was asked for, validated: the only way in for words from outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import BadRequest
from .names import Build

RELEASE, PUSH, GOLIVE = "release", "push", "golive"
ROLLBACK, PURGE, ANNOUNCE, ADOPT = "rollback", "purge", "announce", "adopt"
_KEYS: dict[str, dict[str, type]] = {
    RELEASE: {"build": str, "minor": bool},
    PUSH: {"build": str},
    GOLIVE: {"build": str},
    ROLLBACK: {},
    PURGE: {"build": str, "local": bool},
    ANNOUNCE: {"build": str},
    ADOPT: {"repair": bool},
}
# Letters of a reason that are kept.
_LONGEST = 500
_FLAGS = ("minor", "local", "repair")


@dataclass(frozen=True)
class Request:
    """One orchestration and its pillar; two equal requests can share one run."""

    kind: str
    build: Build | None = None
    minor: bool = False
    local: bool = False
    repair: bool = False

    @classmethod
    def parse(cls, kind: str, pillar: Mapping[str, Any]) -> Request:
        """The request for orchestration ``kind`` with this pillar, or BadRequest."""
        keys = _KEYS[kind]
        for key, value in pillar.items():
            if key not in keys:
                allowed = ", ".join(keys) or "none"
                raise BadRequest(
                    f"orch.{kind} does not know the pillar key {str(key)[:40]!r}",
                    f"the keys it takes: {allowed}",
                )
            if type(value) is not keys[key] and key != "build":
                raise BadRequest(
                    f"{key} is {str(value)[:40]!r}", f"write {key}: True, or leave it out"
                )
        if "build" in keys and "build" not in pillar:
            raise BadRequest(f"orch.{kind} needs a build", "add pillar='{build: WS221}'")
        build = Build.parse(pillar["build"]) if "build" in keys else None
        flags = {flag: pillar.get(flag, False) for flag in _FLAGS}
        return cls(kind, build, **flags)

    @property
    def named(self) -> Build:
        """The build that was asked for; BadRequest for a kind of request that takes none."""
        if self.build is None:
            raise BadRequest(
                f"orch.{self.kind} is about no build", "use an orchestration that takes one"
            )
        return self.build

    @property
    def pillar(self) -> dict[str, Any]:
        """The pillar that asks for this request again."""
        words: dict[str, Any] = {"build": str(self.build)} if self.build else {}
        words.update({key: True for key in _FLAGS if getattr(self, key)})
        return words

    def __str__(self) -> str:
        words = ", ".join(f"{key}: {value}" for key, value in self.pillar.items())
        return f"orch.{self.kind} {{{words}}}" if words else f"orch.{self.kind}"


def reason(text: object) -> str:
    """The reason that a person gave, shortened; BadRequest for none."""
    if not isinstance(text, str) or not text.strip():
        raise BadRequest("no reason was given", "add reason='…', which the ledger keeps")
    return text.strip()[:_LONGEST]
