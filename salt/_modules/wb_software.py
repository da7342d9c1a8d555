"""The webapp as software: its release on the FTP site, and its reference copy.

Source: the wiki page, "Major Releases"; a minor revision makes neither.
"""

import shutil
import tarfile

import wbnode.files
import wbnode.minion
from wbcore.datasets import WEBAPP, Dataset
from wbcore.errors import BadRequest
from wbcore.names import Release
from wbcore.transport.excludes import excluded
from wbcore.webapp_version import VERSION_TEXT
from wbnode.webapp.checkout import matching

__virtualname__ = "wb_software"

_CURRENT = "current.tgz"


def __virtual__():
    return __virtualname__


@wbnode.minion.salt_errors
def publish(release):
    """Put a release's tarball on the FTP site, unless it is there, and make it ``current.tgz``.

    It holds tracked files alone: local settings, ``extlib`` and logs are left out. Returns
    ``{"tarball": path, "bytes": int, "already": bool}``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_software.publish WS221-2010.12.24-0.02-1350
    """
    layout = wbnode.minion.layout_of(__opts__)
    tarball = layout.software / f"{Release.parse(release)}.tgz"
    with wbnode.minion.alone(layout.webapp_lock):
        already = tarball.exists()
        if not already:
            layout.software.mkdir(parents=True, exist_ok=True)
            _pack(_assembled(release), tarball)
        _link_current(layout.software / _CURRENT, tarball.name)
    return {"tarball": str(tarball), "bytes": tarball.stat().st_size, "already": already}


@wbnode.minion.salt_errors
def reference(release):
    """Keep a copy of what is live at ``website/production``, for a look on this server.

    Returns ``{"release": …, "already": bool}``.

    CLI Example:

    .. code-block:: bash

        salt wb-dev wb_software.reference WS221-2010.12.24-0.02-1350
    """
    layout, source = wbnode.minion.layout_of(__opts__), _assembled(release)
    with wbnode.minion.alone(layout.webapp_lock):
        already = _tells(layout.production) == _tells(source)
        if not already:
            _replace_by_copy(layout.production, source)
    return {"release": source.name, "already": already}


def _assembled(release):
    """The directory of a release on this server."""
    dataset = Dataset(WEBAPP, str(Release.parse(release)))
    place = wbnode.minion.layout_of(__opts__).dataset(dataset)
    if not place.is_dir():
        raise BadRequest(
            f"{release} is not in website/ of this server",
            f"copy it back from a web node to {place}",
        )
    return place


def _pack(source, tarball):
    webapp = wbnode.minion.settings_of(__pillar__).webapp
    private = {str(path.relative_to(source.parent)) for path in matching(source, webapp.untracked)}

    def member(entry):
        below = entry.name.partition("/")[2]
        if entry.name in private or (below and excluded(below, webapp.software_exclude)):
            return None
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    fresh = tarball.with_name(f".{tarball.name}.new")
    with tarfile.open(fresh, "w:gz") as archive:
        archive.add(source, arcname=source.name, filter=member)
    fresh.chmod(0o644)
    # Once it has its name nobody looks at it again.
    wbnode.files.flush([fresh.parent])
    fresh.rename(tarball)
    wbnode.files.flush_names(tarball.parent)


def _link_current(link, target):
    if not (link.is_symlink() and link.readlink().name == target):
        __salt__["file.symlink"](target, str(link), force=True, atomic=True)


def _replace_by_copy(place, source):
    fresh, old = (place.with_name(f".{place.name}.{name}") for name in ("new", "old"))
    wbnode.files.remove(fresh)
    wbnode.files.remove(old)
    shutil.copytree(source, fresh, symlinks=True)
    if place.is_symlink() or place.exists():
        place.rename(old)
    fresh.rename(place)
    wbnode.files.remove(old)


def _tells(place):
    """What a copy says of itself; nothing if there is none."""
    try:
        return (place / VERSION_TEXT).read_text(encoding="utf-8")
    except OSError:
        return None
