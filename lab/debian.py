"""Debian's packages: on the machine, and in the base of the nodes."""

from __future__ import annotations

import shutil
from pathlib import Path

from .command import LabError, run
from .place import held

HERE = Path(__file__).resolve().parent
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
SUITE = "bookworm"
_LOCK = Path("/run/lock/wormbase-lab.apt")
# Documentation and forced writes to disk only cost time here.
_DPKG = """force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
"""
_ENVIRONMENT = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8",
                "DEBIAN_FRONTEND=noninteractive")  # fmt: skip
# compile.sh installs packages at the same time, and apt-get update waits for no lock.
_ALONE = ("flock", "/run/lock/wormbase-lab.apt")
_INSTALL = ("apt-get", "install", "-y", "-q", "--no-install-recommends")


def install(*packages: str) -> None:
    """Install those of the packages that the machine does not have."""
    have = run(
        "dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *packages, check=False
    )
    missing = set(packages) - {
        line.split()[0] for line in have.splitlines() if line.endswith(" installed")
    }
    if missing:
        _apt("update", "-q")
        _apt(*_INSTALL[1:], *sorted(missing))


def _apt(*words: str) -> None:
    # apt-get update waits for nobody, so whoever installs for a lab takes this lock.
    with held(_LOCK):
        run("apt-get", "-o", "DPkg::Lock::Timeout=600", *words,
            env={"DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip


def sources() -> list[tuple[str, str]]:
    """(address, suite) of the machine's own Debian package sources."""
    wanted = "$(ORIGIN) $(COMPONENT) $(RELEASE) $(REPO_URI)"
    ask = ("apt-get", "indextargets", "--format", wanted, "Created-By: Packages")
    if not run(*ask).strip():
        _apt("update", "-q")
    told = run(*ask)
    rows = [line.split() for line in told.splitlines()]
    found = [(row[3], row[2]) for row in rows if row[:2] == ["Debian", "main"]]
    if SUITE not in [suite for _, suite in found]:
        raise LabError(f"this machine has no package source of Debian {SUITE}")
    return list(dict.fromkeys(found))


def bootstrap(root: Path, log: Path) -> None:
    """Make the smallest Debian there is in ``root``, ready to install packages."""
    install("debootstrap")
    mirror = {suite: address for address, suite in sources()}[SUITE]
    run("debootstrap", "--variant=minbase", "--include=ca-certificates,python3-venv",
        SUITE, root, mirror, log=log)  # fmt: skip
    (root / "etc/dpkg/dpkg.cfg.d/lab").write_text(_DPKG)
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    # Package clients inside need the machine's own list of certificates and sources.
    if (Path("/") / CERTIFICATES).exists():
        shutil.copy(Path("/") / CERTIFICATES, root / CERTIFICATES)
    lines = [f"deb {address} {suite} main\n" for address, suite in sources()]
    (root / "etc/apt/sources.list").write_text("".join(lines))
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")


def packages() -> list[str]:
    """Names in packages.txt."""
    lines = (HERE / "packages.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def install_packages(root: Path, log: Path) -> None:
    """Install everything that nodes need into the base; no service is started."""
    inside(root, "apt-get", "update", "-q", log=log)
    inside(root, *_INSTALL, *packages(), log=log)


def inside(root: Path, *args: str, log: Path) -> None:
    """Run a command inside the base while it is being made."""
    run("chroot", root, "env", "-i", *_ENVIRONMENT, *args, log=log)


def tidy(root: Path) -> None:
    """Remove what only the installation needed."""
    for name in ("var/cache/apt/archives", "var/lib/apt/lists", "var/lib/mysql"):
        for entry in (root / name).iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    (root / "usr/sbin/policy-rc.d").unlink()
