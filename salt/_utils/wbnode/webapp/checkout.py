"""The checkout of the webapp, as it stands on the development server."""

import os
import shutil
import stat
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from wbcore.errors import BadData, BadRequest
from wbcore.names import Release
from wbcore.transport.excludes import excluded
from wbcore.webapp_version import VERSION_FILE, VERSION_TEXT, changeset_in, webapp_version

import wbnode.files
from wbnode.webapp.repository import Repository, repository


@dataclass(frozen=True)
class Checkout:
    """A working directory of the webapp's repository."""

    place: Path

    def version(self) -> str:
        """The webapp's version, from ``Web.pm``."""
        try:
            return webapp_version((self.place / VERSION_FILE).read_text(encoding="utf-8"))
        except OSError as error:
            raise BadData(
                f"the webapp's version can not be read from {self.place}: {error.strerror}",
                f"check the webapp out there; its version is in {VERSION_FILE}",
            ) from error

    @property
    def repository(self) -> Repository:
        """The repository that it was made from; BadData if it is none."""
        return repository(self.place)

    def revision(self) -> int:
        """The revision that the working directory stands at."""
        return self.repository.revision()

    def tip(self) -> int:
        """The newest revision that is known there."""
        return self.repository.tip()

    def changeset(self) -> str:
        """The hash of the revision that the working directory stands at."""
        return self.repository.changeset()

    def rewritten(self, website: Path) -> list[str]:
        """Releases in ``website`` of the same version and revision number that were made of
        another changeset: an amended commit keeps the number."""
        same, now = f"WS*-*-{self.version()}-{self.revision()}/{VERSION_TEXT}", self.changeset()
        made = {one.parent.name: changeset_in(one.read_text()) for one in website.glob(same)}
        return sorted(name for name, changeset in made.items() if changeset not in ("", now))

    def modified(self) -> list[str]:
        """Tracked files with changes that are not committed."""
        return self.repository.modified()

    def copy(self, target: Path, untracked: Collection[str], left_out: Sequence[str]) -> None:
        """Copy the tracked files to ``target``, and of the others what ``untracked`` lists.

        Nothing else that lies there ships: an editor's backup may hold a password.

        untracked
            Patterns of paths, files or whole folders, from the checkout on.
        left_out
            rsync's exclude patterns of what stays here of all that.
        """
        listed = {str(path.relative_to(self.place)) for path in matching(self.place, untracked)}
        files = listed | self.repository.files()
        known = files.union(*map(_folders, files))

        def ignore(folder: str, names: list[str]) -> list[str]:
            below = os.path.relpath(folder, self.place)
            paths = {name: os.path.normpath(f"{below}/{name}") for name in names}
            return [
                name
                for name, path in paths.items()
                if excluded(path, left_out) or not (path in known or listed & _folders(path))
            ]

        # A copy of its own: what servers write must not share an inode with another release.
        shutil.copytree(self.place, target, symlinks=True, ignore=ignore, copy_function=_copy_file)

    def refuse_unless(self, release: Release) -> None:
        """BadRequest unless the working directory is exactly the release's webapp."""
        changed = self.modified()
        if changed:
            raise BadRequest(
                f"{self.place} has changes that are not committed, such as {changed[0]}",
                "commit them there, or revert them",
            )
        revision, tip = self.revision(), self.tip()
        if revision != tip:
            raise BadRequest(
                f"{self.place} stands at revision {revision}, and tip is {tip}",
                f"run {self.repository.update} there",
            )
        if (self.version(), revision) != (release.webapp, release.revision):
            raise BadRequest(
                f"{self.place} is {self.version()} at revision {revision}, "
                f"and {release} was asked for",
                "run the same command again, which takes the revision that is there",
            )

    def tag(self, name: str, changeset: str) -> bool:
        """Give a revision a tag; whether it has it already. BadRequest when another one has."""
        tagged = self.repository.tagged(name)
        if not tagged:
            self.repository.tag(name, changeset)
        elif tagged != changeset:
            raise BadRequest(
                f"{self.place} has the tag {name} at {tagged}, and the release was made of "
                f"{changeset}",
                "remove that tag there",
            )
        return bool(tagged)


def _copy_file(source: str | os.PathLike[str], target: str) -> None:
    """Copy a file with its times and mode, and no link that came in its place meanwhile: the
    checkout belongs to others, and root may read what they may not."""
    with wbnode.files.open_file(source) as file, open(target, "xb") as copy:
        about = os.fstat(file.fileno())
        shutil.copyfileobj(file, copy)
        os.fchmod(copy.fileno(), stat.S_IMODE(about.st_mode))
    os.utime(target, ns=(about.st_atime_ns, about.st_mtime_ns))


def matching(place: Path, patterns: Collection[str]) -> set[Path]:
    """The files and folders below a directory that patterns such as ``certs/*.pem`` list."""
    return {path for pattern in patterns for path in place.glob(pattern)}


def _folders(path: str) -> set[str]:
    """Every folder above a path."""
    return {str(folder) for folder in PurePath(path).parents}
