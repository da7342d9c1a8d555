"""Every program that the code starts is installed wherever the code runs.

A program that somebody once installed by hand is missing on the next bare machine. So this file
says which Debian package brings each program, and the tests hold that against the lists of what
the states, the lab and the tests install.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STARTS = {"command", "run", "Popen", "check_output"}

# Part of every Debian (essential packages), of the node's Salt, or of this project.
EVERYWHERE = {
    "apt-get", "chroot", "cp", "chown", "dpkg-deb", "dpkg-query", "install", "salt-run",
    "setpriv", "systemctl", "sh", "sync", "truncate", "unshare", "/usr/bin/python3", "bin/lab",
}  # fmt: skip
# AceDB's own programs, which sites compile themselves; a state says so where they are missing.
COMPILED = {"saceserver", "tace"}
PACKAGE = {
    "aria_chk": "mariadb-server",
    "bsdiff": "bsdiff",
    "bspatch": "bsdiff",
    "debootstrap": "debootstrap",
    "git": "git",
    "hg": "mercurial",
    "ip": "iproute2",
    "makeblastdb": "ncbi-blast+",
    "mariadb": "mariadb-server",
    "mariadb-install-db": "mariadb-server",
    "mariadbd": "mariadb-server",
    "mkfs.ext4": "e2fsprogs",
    "mount": "mount",
    "my_print_defaults": "mariadb-server",
    "myisamchk": "mariadb-server",
    "nft": "nftables",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "rsync": "rsync",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "tc": "iproute2",
    "zstd": "zstd",
}
# Started by words that are put together elsewhere: where the program stands in that file.
NAMED_ELSEWHERE = {
    "salt/_utils/wbnode/proxy.py": "nginx",
    "salt/_utils/wbcore/transport/rsync.py": "rsync",
    "salt/_utils/wbnode/transport/carrier.py": "ssh",
    "salt/_modules/wb_mysql.py": "mariadb",
}


def started(folder: str) -> dict[str, str]:
    """Each program that Python files of a folder start → one of the files."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and _name(node.func) in STARTS:
                for program in _program(node.args[0]):
                    found.setdefault(program, str(path.relative_to(ROOT)))
    return found


def _name(function: ast.expr) -> str:
    return ast.unparse(function).rpartition(".")[2]


def _program(words: ast.expr) -> Iterator[str]:
    """The first of the words of a command, where it is written out."""
    while isinstance(words, (ast.List, ast.Tuple)) and words.elts:
        words = words.elts[0]
    if isinstance(words, ast.Constant) and isinstance(words.value, str) and words.value:
        yield words.value


def listed(path: str) -> set[str]:
    """The packages of a list with one a line."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def of_states() -> set[str]:
    """The packages that any state installs."""
    text = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "salt/states").rglob("*.sls")
    )
    found: set[str] = set()
    for block in re.findall(r"- pkgs:(?: \[(.*)\]|((?:\n +- [\w.+-]+)+))", text):
        found |= set(re.findall(r"[a-z0-9][\w.+-]+", " ".join(block)))
    return found


def of_lab() -> set[str]:
    """The packages that the lab installs on the machine it runs on."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "lab").rglob("*.py"))
    return {
        word
        for call in re.findall(r"(?:\binstall\(|_TOOLS = \()([^)]*)\)", text)
        for word in re.findall(r'"([^"]+)"', call)
    }


PRODUCT = started("salt") | {program: path for path, program in NAMED_ELSEWHERE.items()}


def test_programs_named_elsewhere_stand_where_this_file_says():
    for path, program in NAMED_ELSEWHERE.items():
        assert re.search(rf"\b{program}\b", (ROOT / path).read_text(encoding="utf-8")), path


def test_programs_are_found():
    assert {"zstd", "bspatch", "hg", "myisamchk", "rsync", "nginx"} <= PRODUCT.keys()
    assert {"bsdiff", "zstd", "mercurial", "mariadb-server", "xinetd"} <= of_states()


@pytest.mark.parametrize("program", sorted({*PRODUCT, *started("lab")} - EVERYWHERE - COMPILED))
def test_the_package_of_every_program_is_known(program):
    assert program in PACKAGE, f"say in {Path(__file__).name} which package brings {program}"


@pytest.mark.parametrize("program", sorted(PRODUCT.keys() - EVERYWHERE - COMPILED))
def test_what_the_product_starts_is_installed_by_states_lab_and_tests(program):
    package = PACKAGE[program]
    for name, packages in (
        ("a state", of_states()),
        ("lab/packages.txt", listed("lab/packages.txt")),
        ("tests/packages.txt", listed("tests/packages.txt")),
    ):
        assert package in packages, f"{name} lacks {package}, for {program} of {PRODUCT[program]}"


@pytest.mark.parametrize("program", sorted(started("lab").keys() - EVERYWHERE - COMPILED))
def test_what_the_lab_starts_is_installed_by_the_lab_or_the_tests(program):
    known = of_lab() | listed("tests/packages.txt") | listed("lab/packages.txt")
    assert PACKAGE[program] in known, f"nothing installs {PACKAGE[program]}, for {program}"
