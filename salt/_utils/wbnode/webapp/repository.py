"""The repository of the webapp's checkout: Mercurial or git.

A checkout belongs to others, and its own configuration may name programs that hg or git run.
So both run as the checkout's owner, without hooks, and never read that configuration as root
if somebody else wrote it.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from wbcore.errors import BadData, BadRequest

import wbnode.minion

_SECONDS = 60


class Repository(Protocol):
    """What is asked of a checkout, whichever tool made it."""

    # What brings the working directory to the newest revision.
    update: ClassVar[str]

    def revision(self) -> int:
        """The revision that the working directory stands at, as a number."""

    def tip(self) -> int:
        """The newest revision that is known there."""

    def changeset(self) -> str:
        """The hash of the revision that the working directory stands at."""

    def modified(self) -> list[str]:
        """Tracked files with changes that are not committed."""

    def files(self) -> set[str]:
        """Every tracked file."""

    def tagged(self, name: str) -> str:
        """The hash of the revision that has a tag; empty if there is no such tag."""

    def tag(self, name: str, changeset: str) -> None:
        """Give a revision a tag."""


def repository(place: Path) -> Repository:
    """The repository of a working directory; BadData if it has none."""
    for folder, kind in ((".hg", Mercurial), (".git", Git)):
        if (place / folder).exists():
            return kind(place)
    raise BadData(
        f"{place} is no checkout of the webapp",
        "make it a checkout of the webapp, by Mercurial or git",
    )


@dataclass(frozen=True)
class Mercurial:
    """A checkout made by Mercurial."""

    place: Path
    update: ClassVar[str] = "hg update tip"

    def revision(self) -> int:
        told = self._ask("identify", "--num").strip().rstrip("+")
        if not told.isdigit():
            raise BadData(f"{self.place} has an unfinished merge", "commit it there")
        return int(told)

    def tip(self) -> int:
        return int(self._ask("log", "--rev", "tip", "--template", "{rev}"))

    def changeset(self) -> str:
        return self._ask("log", "--rev", ".", "--template", "{node}").strip()

    def modified(self) -> list[str]:
        return self._ask(
            "status", "--modified", "--added", "--removed", "--deleted", "--no-status"
        ).splitlines()

    def files(self) -> set[str]:
        return _split(self._ask("files", "--print0"))

    def tagged(self, name: str) -> str:
        tags = (
            line.split("\t") for line in self._ask("tags", "-T", "{tag}\t{node}\n").splitlines()
        )
        return next((changeset for tag, changeset in tags if tag == name), "")

    def tag(self, name: str, changeset: str) -> None:
        # A tag that is not local is a commit, and so a new revision of the webapp.
        self._ask("tag", "--local", "--rev", changeset, name)

    def _ask(self, *arguments: str) -> str:
        return wbnode.minion.command(
            ["hg", "--cwd", self.place, *arguments],
            f"make {self.place} a Mercurial checkout of the webapp",
            # A configuration must not change what is printed, nor name extensions and hooks.
            **_as_owner(self.place / ".hg", HGPLAIN="1", HGRCPATH="", HGRCSKIPREPO="1"),
        )


@dataclass(frozen=True)
class Git:
    """A checkout made by git. A revision is the number of commits that led to it."""

    place: Path
    update: ClassVar[str] = "git pull"

    def revision(self) -> int:
        if self._ask("rev-parse", "--is-shallow-repository").strip() != "false":
            raise BadData(
                f"{self.place} is a shallow clone, so its revision can not be counted",
                "run git fetch --unshallow there",
            )
        return self._count("HEAD")

    def tip(self) -> int:
        upstream = self._upstream()
        # What was committed here and not pushed is newer than anything that is known upstream.
        if upstream and self._count(f"HEAD..{upstream}") and not self._count(f"{upstream}..HEAD"):
            return self._count(upstream)
        return self.revision()

    def changeset(self) -> str:
        return self._ask("rev-parse", "HEAD").strip()

    def modified(self) -> list[str]:
        told = self._ask("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames")
        return sorted(entry[3:] for entry in _split(told))

    def files(self) -> set[str]:
        return _split(self._ask("ls-files", "-z", "--recurse-submodules"))

    def tagged(self, name: str) -> str:
        found = self._ask("for-each-ref", "--format=%(objectname)", f"refs/tags/{name}")
        return found.strip()

    def tag(self, name: str, changeset: str) -> None:
        self._ask("tag", "--no-sign", name, changeset)

    def _upstream(self) -> str:
        """The hash of the newest known commit of the branch that is followed; or empty."""
        branch = self._ask("symbolic-ref", "--quiet", "HEAD", ok=(0, 1)).strip()
        if not branch:
            raise BadRequest(
                f"{self.place} stands at a commit and at no branch",
                "run git checkout there, with the name of the branch",
            )
        upstream = self._ask("for-each-ref", "--format=%(upstream)", branch).strip()
        if not upstream:
            return ""
        return self._ask("for-each-ref", "--format=%(objectname)", upstream).strip()

    def _count(self, commits: str) -> int:
        return int(self._ask("rev-list", "--count", commits, "--"))

    def _ask(self, *arguments: str, ok: tuple[int, ...] = (0,)) -> str:
        settings = (
            # Git refuses a checkout of another user; here it runs as that user, or as root.
            f"safe.directory={self.place}",
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
        )
        words = [word for setting in settings for word in ("-c", setting)]
        return wbnode.minion.command(
            ["git", "-C", self.place, *words, *arguments],
            f"make {self.place} a git checkout of the webapp",
            ok=ok,
            **_as_owner(
                self.place / ".git",
                GIT_CONFIG_NOSYSTEM="1",
                GIT_CONFIG_GLOBAL="/dev/null",
                GIT_OPTIONAL_LOCKS="0",
                GIT_TERMINAL_PROMPT="0",
            ),
        )


def _as_owner(metadata: Path, **variables: str) -> dict[str, Any]:
    """How a program is started as whoever owns a checkout, or its configuration."""
    paths = (metadata, metadata / "config", metadata.parent)
    owners = [path.stat() for path in paths if path.exists()]
    about = next((one for one in owners if one.st_uid != 0), owners[0])
    options: dict[str, Any] = {
        # Its owner may not be able to enter the directory that this process stands in.
        "cwd": "/",
        "env": {**os.environ, "HOME": "/nonexistent", **variables},
        # Names of files may be of any encoding.
        "encoding": "utf-8",
        "errors": "surrogateescape",
        "timeout": _SECONDS,
    }
    if os.geteuid() == 0 and about.st_uid != 0:
        groups = _groups(about.st_uid, about.st_gid)
        options |= {"user": about.st_uid, "group": about.st_gid, "extra_groups": groups}
    return options


def _groups(user: int, group: int) -> list[int]:
    try:
        return os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except KeyError:
        return [group]


def _split(told: str) -> set[str]:
    return set(told.split("\0")) - {""}
