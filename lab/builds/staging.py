"""Staging a made build on the development server, as the builders leave it there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..command import LabError, run
from .genes import Lineage, Step
from .making import ACEDB, MYSQL, NOTES, RECIPE, SUPPORT

_BUILDS = "usr/local/wormbase/builds"
_DOWNLOADS = "usr/local/ftp/pub/wormbase/releases"
_PLACES = {
    ACEDB: "usr/local/wormbase/acedb",
    MYSQL: "usr/local/mysql/data",
    SUPPORT: "usr/local/wormbase/databases",
}
# (mode of directories, mode of files) as the builders' umask leaves them.
_MODES = {ACEDB: (0o775, 0o664), MYSQL: (0o2775, 0o664), SUPPORT: (0o755, 0o644)}


@dataclass(frozen=True)
class Staging:
    """The development server's disk, from its root on."""

    root: Path

    def previous(self, number: int) -> tuple[Lineage, float | None]:
        """Lineage and scale of the newest build on it that is older than ``number``."""
        staged = sorted(step for step in self._numbers() if step < number)
        if not staged:
            return (), None
        told = json.loads((self._build(f"WS{staged[-1]}") / RECIPE).read_text())
        return tuple(Step(*step) for step in told["lineage"]), told["scale"]

    def refuse_older(self, number: int) -> None:
        """LabError when a newer build lies here: builders never go back."""
        newest = max(self._numbers(), default=0)
        if number < newest:
            raise LabError(f"WS{newest} lies on wb-dev already, and WS{number} is older")

    def put(self, made: Path, build: str) -> None:
        """Place what was made, then point this server's own links to it.

        What lies there as it was made is left alone, down to its inodes.
        """
        for kind, source, name in _directories(made, build):
            self._place(build, kind, source, name)
        for kind, _, name in _directories(made, build):
            if kind != SUPPORT:
                _link(self.root / _PLACES[kind] / name.removesuffix(f"_{build}"), name)
        shutil.copytree(made / NOTES, self._build(build), dirs_exist_ok=True)
        downloads = self.root / _DOWNLOADS / build
        downloads.mkdir(parents=True, exist_ok=True)
        shutil.copy2(made / NOTES / f"letter.{build}", downloads)

    def land(self, build: str) -> None:
        """The builders' last step: say that the build is complete."""
        if not self._ready(build).exists():
            self._ready(build).write_text(f"{build}\n")

    def _build(self, build: str) -> Path:
        return self.root / _BUILDS / build

    def _ready(self, build: str) -> Path:
        return self._build(build) / "READY"

    def _numbers(self) -> Iterator[int]:
        for recipe in (self.root / _BUILDS).glob(f"WS*/{RECIPE}"):
            yield int(recipe.parent.name.removeprefix("WS"))

    def _place(self, build: str, kind: str, source: Path, name: str) -> None:
        target = self.root / _PLACES[kind] / name
        if _same(source, target):
            return
        self._ready(build).unlink(missing_ok=True)
        fresh = self.root / _BUILDS / ".fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        try:
            run("cp", "--archive", "--reflink=auto", source, fresh)
            self._own(kind, fresh)
            fresh.rename(target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def _own(self, kind: str, directory: Path) -> None:
        user, group = self._account("passwd", kind), self._account("group", kind)
        folder_mode, file_mode = _MODES[kind]
        for folder, _, files in os.walk(directory):
            modes = {folder: folder_mode} | {f"{folder}/{name}": file_mode for name in files}
            for path, mode in modes.items():
                os.chown(path, user, group)
                os.chmod(path, mode)

    def _account(self, table: str, name: str) -> int:
        """Id of the server's account or group of a name; root's where it has none."""
        for line in (self.root / "etc" / table).read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split(":")[2])
        return 0


def _directories(made: Path, build: str) -> Iterator[tuple[str, Path, str]]:
    """(kind, where it was made, name below the directory of its kind) of each dataset."""
    yield ACEDB, made / ACEDB, f"wormbase_{build}"
    for source in sorted((made / MYSQL).glob(f"*_{build}")):
        yield MYSQL, source, source.name
    for source in sorted((made / SUPPORT).iterdir()):
        yield SUPPORT, source, f"{build}/{source.name}"


def _same(one: Path, other: Path) -> bool:
    """Whether two directories have the same files, by size and time of change; but an index is
    as its table is, since sealing a build brings indexes into another form."""
    return other.is_dir() and _listing(one) == _listing(other)


def _listing(directory: Path) -> dict[Path, tuple[int, int]]:
    files = (path for path in directory.rglob("*") if path.is_file())
    stats = {path.relative_to(directory): path.stat() for path in files}
    return {
        path: (0, 0) if path.suffix == ".MYI" else (stat.st_size, stat.st_mtime_ns)
        for path, stat in stats.items()
    }


def _link(link: Path, target: str) -> None:
    if link.is_symlink() and os.readlink(link) == target:
        return
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(link)
