"""Several scratch nodes that fetch from one another as real nodes do."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pytest
import wbnode.files
from wbcore.build.manifest import Manifest
from wbcore.layout import Layout
from wbcore.names import Build
from wbnode.build import counting

from lab import base

CARRIER = Path(__file__).resolve().parents[2] / "salt/states/carrier"


@dataclass
class Site:
    """Scratch nodes by id; each gives its datasets at a loopback address of its own."""

    root: Path
    pillar: dict[str, Any]
    load: Any
    modules: dict[str, Any] = field(default_factory=dict)
    servers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    addresses: dict[str, str] = field(default_factory=dict)

    def add(self, node: str) -> Any:
        """A node, with the files that ``carrier.served`` gives it; its modules."""
        self.modules[node] = self.load(node, self.pillar)
        self.addresses[node] = f"127.0.0.{len(self.addresses) + 2}"
        home = self.layout(node).carrier
        home.mkdir(parents=True)
        for name in ("authorized_keys", "known_hosts", "rsyncd.conf", "sshd_config"):
            template = jinja2.Template((CARRIER / name).read_text())
            (home / name).write_text(template.render(salt=self.modules[node]) + "\n")
        for name in ("id", "host_key"):
            (home / name).write_text(self.pillar["carrier"]["private_key"])
            (home / name).chmod(0o600)
        return self.modules[node]

    def layout(self, node: str) -> Layout:
        return Layout(self.root / node)

    def serve(self, node: str) -> None:
        """Start the node's carrier; it answers when this returns."""
        home, address = self.layout(node).carrier, self.addresses[node]
        os.makedirs("/run/sshd", exist_ok=True)
        options = (f"ListenAddress={address}", "StrictModes=no", f"PidFile={home / 'pid'}")
        self.servers[node] = subprocess.Popen(
            ["/usr/sbin/sshd", "-D", "-e", "-f", home / "sshd_config"]
            + [f"-o{option}" for option in options],
            stderr=(home / "log").open("wb"),
        )
        while True:
            try:
                socket.create_connection((address, self.pillar["carrier"]["port"]), 1).close()
                return
            except OSError:
                assert self.servers[node].poll() is None, (home / "log").read_text()
                time.sleep(0.02)

    def stop(self, node: str) -> None:
        self.servers[node].terminate()
        self.servers[node].wait()

    def sources(self, *nodes: str) -> list[dict[str, str]]:
        return [{"node": node, "address": self.addresses[node]} for node in nodes]


@pytest.fixture(scope="session")
def programs() -> Path:
    """AceDB's programs, compiled once on this machine."""
    return base.acedb() / "usr/local"


@pytest.fixture
def site(tmp_path, pillar, load):
    """A site with the development server ``wb-dev`` and the node ``node``, both at work."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    carrier = {
        "user": "root",
        "port": port,
        "private_key": key.read_text(),
        "public_key": " ".join(key.with_suffix(".pub").read_text().split()[:2]),
    }
    site = Site(tmp_path, {**pillar, "carrier": carrier}, load)
    for node in ("wb-dev", "node"):
        site.add(node)
    site.serve("wb-dev")
    yield site
    for server in site.servers.values():
        server.terminate()
        server.wait()


@pytest.fixture
def stage(tree):
    """Stages a small build: ``stage(layout, "WS221", rebuilt=…)``, with unruly file names."""

    def stage(layout: Layout, build: str, rebuilt: tuple[str, ...] = ("c_elegans",)) -> None:
        new = build.encode() * 3000
        tree(
            layout.kind("acedb") / f"wormbase_{build}",
            {
                "database/block1.wrm": os.urandom(200_000) + new,
                "database/log.wrm": b"left out",
                "database/readlocks/1": b"left out",
                "wspec/database.wrm": b"NAME " + build.encode(),
            },
        )
        for database in rebuilt:
            directory = layout.kind("mysql") / f"{database}_{build}"
            tree(directory, {"features.MYD": new, "features.MYI": b"", "old.TMD": b"left out"})
            link = layout.kind("mysql") / database
            link.unlink(missing_ok=True)
            link.symlink_to(directory.name)
        tree(
            layout.kind("support") / build,
            {
                f"ontology/gene_association.{build}.wb": random.Random(1).randbytes(120_000) + new,
                "ontology/-rf": b"dash",
                "ontology/a\nb": b"newline",
                "ontology/# no comment": b"hash",
                "ontology/; nor this": b"semicolon",
                "ontology/st*r [x] ?\\": b"glob",
                "ontology/ blank ": b"blank",
                "ontology/w\udcff\u00e4": b"bytes",
                "ontology/deep/er/file": b"deep",
                "ontology/deep/empty": b"",
                "gene/web_data/left": b"left out",
                "gene/list": new,
            },
        )
        ontology = layout.kind("support") / build / "ontology"
        # The same in every build, by its time too.
        os.utime(ontology / "deep/er/file", (1_000_000_000, 1_000_000_000))
        (ontology / "none").mkdir()
        (ontology / "latest").symlink_to("deep/er")

    return stage


@pytest.fixture
def counted(layout):
    """Makes a sealed build of which figures were kept: ``counted("WS220", genes=5)``; it gives
    the path of its manifest. The databases are c_elegans, of that build, and clustal."""

    def make(build: str, genes: int) -> Path:
        databases = {"c_elegans": f"c_elegans_{build}", "clustal": "clustal_WS220"}
        sealed = Manifest(Build.parse(build), databases, {})
        path = layout.manifest(sealed.name)
        wbnode.files.write_whole(path, sealed.to_bytes())
        counting.keep(layout, sealed, {"classes": {"Gene": genes, "Map": 6}})
        return path

    return make
