"""``extlib``: the Perl libraries that the webapp brings along, as Debian packages them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..command import run
from ..place import CACHE, held

PACKAGE = "libtext-microtemplate-perl"
_DOWNLOADS = CACHE / "downloads"
_FETCH = ("apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download")


def unpack(extlib: Path) -> None:
    """Put the libraries below ``extlib/lib/perl5``, where local::lib would have them."""
    with tempfile.TemporaryDirectory() as folder:
        run("dpkg-deb", "-x", _package(), folder)
        shutil.copytree(Path(folder, "usr/share/perl5"), extlib / "lib/perl5")


def _package() -> Path:
    """The package's file, downloaded once for all labs of the machine."""
    _DOWNLOADS.mkdir(parents=True, exist_ok=True)
    with held(CACHE / "downloads.lock"):
        if not list(_DOWNLOADS.glob(f"{PACKAGE}_*.deb")):
            run(*_FETCH, PACKAGE, cwd=_DOWNLOADS)
    return next(_DOWNLOADS.glob(f"{PACKAGE}_*.deb"))
