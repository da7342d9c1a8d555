"""The base of every node: Debian with the cluster's packages, and Salt."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import debian
from .command import run
from .layers import digest, made
from .place import CACHE

HERE = Path(__file__).resolve().parent
FILES = HERE / "files"
# Where Salt's own package has its Python, and the number of the user that its master runs as.
SALT = Path("opt/saltstack/salt")
SALT_USER = 450
COMMANDS = ("salt", "salt-call", "salt-cp", "salt-key", "salt-master", "salt-minion", "salt-run")
_UNITS = ("salt-master.service", "salt-minion.service")
# What every Debian has enabled that a node needs.
_KEPT = {"salt-minion.service"}
# Nobody sits at a node's console.
_MASKED = ("console-getty.service", "getty.target", "systemd-logind.service")
_CONFIGURATION = FILES / "mariadb.cnf"
_RECIPE = ("base.py", "debian.py", "packages.txt", "salt.txt")


def layers() -> list[Path]:
    """Directories for an overlay's ``lowerdir``, uppermost first; missing ones are made."""
    with ThreadPoolExecutor() as pool:
        parts = [pool.submit(acedb), pool.submit(_base)]
        return [part.result() for part in parts]


def _base() -> Path:
    recipe = [
        *(HERE / name for name in _RECIPE),
        *(FILES / name for name in _UNITS),
        _CONFIGURATION,
    ]
    return made(f"base-{digest(recipe)}", _make_base)


def acedb() -> Path:
    """The layer with AceDB's servers, compiled unless it is there."""
    recipe = HERE / "acedb"

    def compile_servers(directory: Path) -> None:
        run("sh", recipe / "compile.sh", directory, log=CACHE / "acedb.log")

    return made(f"acedb-{digest([recipe])}", compile_servers)


def _wheels() -> Path:
    wanted = HERE / "salt.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"

    def download(directory: Path) -> None:
        debian.install("python3-venv", "python3-dev", "gcc")
        venv = directory / "venv"
        run(sys.executable, "-m", "venv", venv)
        pip = (venv / "bin" / "pip", "wheel", "--quiet", "--wheel-dir", directory)
        run(*pip, "--requirement", wanted, log=CACHE / "wheels.log")
        shutil.rmtree(venv)

    return made(f"wheels-{digest([wanted], version)}", download)


def _make_base(root: Path) -> None:
    log = CACHE / "base.log"
    log.unlink(missing_ok=True)
    with ThreadPoolExecutor() as pool:
        wheels = pool.submit(_wheels)
        debian.bootstrap(root, log)
        with _mounted(root):
            salt = pool.submit(_install_salt, root, wheels.result(), log)
            debian.install_packages(root, log)
            salt.result()
    _lay_files(root)
    _enable(root, log)
    _let_master_be_no_root(root, log)
    debian.tidy(root)


def _install_salt(root: Path, wheels: Path, log: Path) -> None:
    inside = root / "wheels"
    shutil.copytree(wheels, inside)
    debian.inside(root, "python3", "-m", "venv", f"/{SALT}", log=log)
    pip = (f"/{SALT}/bin/pip", "install", "--quiet", "--no-index", "--find-links", "/wheels")
    # The machine's own pip settings name places that are not inside the base.
    shutil.copy(HERE / "salt.txt", inside)
    debian.inside(root, *pip, "--requirement", "/wheels/salt.txt", log=log)
    shutil.rmtree(inside)


def _lay_files(root: Path) -> None:
    for command in COMMANDS:
        (root / "usr/bin" / command).symlink_to(f"/{SALT}/bin/{command}")
    for unit in _UNITS:
        shutil.copy(FILES / unit, root / "lib/systemd/system" / unit)
    shutil.copy(_CONFIGURATION, root / "etc/mysql/mariadb.conf.d/60-lab.cnf")
    (root / "etc/resolv.conf").write_text("")


def _enable(root: Path, log: Path) -> None:
    """Leave nothing enabled at boot but Salt; each node's states enable the rest."""
    debian.inside(root, "systemctl", "enable", *_UNITS, log=log)
    units = root / "etc/systemd/system"
    # The second kind are other names of services, by which they count as enabled, too.
    for link in (*units.glob("*.wants/*"), *units.glob("*.service")):
        if link.name not in _KEPT:
            link.unlink()
    debian.inside(root, "systemctl", "mask", *_MASKED, log=log)
    # Some packages (exim4) still bring an init script, which systemd would start by these.
    for link in (root / "etc").glob("rc[0-6].d/[SK]*"):
        link.unlink()


def _let_master_be_no_root(root: Path, log: Path) -> None:
    """The user ``salt`` with its log files, as Salt's own package has them."""
    debian.inside(
        root, "useradd", "--system", "--user-group", "--uid", str(SALT_USER),
        "--home-dir", f"/{SALT}", "--shell", "/usr/sbin/nologin", "salt", log=log,
    )  # fmt: skip
    logs = root / "var/log/salt"
    logs.mkdir()
    for name in ("master", "key"):
        (logs / name).touch(mode=0o640)
        os.chown(logs / name, SALT_USER, SALT_USER)


@contextlib.contextmanager
def _mounted(root: Path) -> Iterator[None]:
    """``/proc`` and ``/dev`` for package scripts; nothing stays mounted, whatever happens."""
    stack = contextlib.ExitStack()
    with stack:
        for name, options in (("proc", ("-t", "proc")), ("dev", ("--bind",))):
            run("mount", *options, f"/{name}", root / name)
            stack.callback(run, "umount", "-l", root / name, check=False)
        yield
