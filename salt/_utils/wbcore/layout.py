"""Every path of the project, from the root of a node.

Source of the paths: the wiki page and docs/field.md (``/usr/local/wormbase``,
``/usr/local/mysql/data``, ``/usr/local/ftp``). What the automation itself keeps
lies in ``/var/lib/wormbase-release``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .datasets import ACEDB, MYSQL, SUPPORT, WEBAPP, Dataset
from .names import Build, Release


@dataclass(frozen=True)
class Layout:
    """Paths below ``root``: ``/`` on a node, a scratch directory in a test."""

    root: Path = Path("/")

    @property
    def wormbase(self) -> Path:
        return self.root / "usr/local/wormbase"

    @property
    def website(self) -> Path:
        return self.wormbase / "website"

    @property
    def staging(self) -> Path:
        """The checkout of the webapp being tested (wb-dev), by Mercurial or git."""
        return self.website / "staging"

    def below(self, path: str) -> Path:
        """A full path that the pillar names, from the root of the node."""
        return self.root / path.lstrip("/")

    @property
    def production(self) -> Path:
        """The live webapp: a symlink on a web node, a reference copy on wb-dev."""
        return self.website / "production"

    @property
    def starman_release(self) -> Path:
        """Where the service of Starman writes the directory of the release that it starts."""
        return self.root / "run/wormbase-starman/release"

    @property
    def report(self) -> Path:
        """What the report of a web node asks, and whom it answers."""
        return self.programs / "report.json"

    @property
    def downloads(self) -> Path:
        """The download tree (wb-dev)."""
        return self.root / "usr/local/ftp/pub/wormbase"

    @property
    def software(self) -> Path:
        """The software releases of the FTP tree (wb-dev)."""
        return self.downloads / "software"

    @property
    def state(self) -> Path:
        """What the automation itself remembers on a node or on the master."""
        return self.root / "var/lib/wormbase-release"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.sqlite"

    @property
    def lock(self) -> Path:
        return self.state / "run.lock"

    @property
    def landing_lock(self) -> Path:
        """Held while the master decides what a landing starts."""
        return self.state / "landing.lock"

    @property
    def runs_log(self) -> Path:
        """What runs that nobody started by hand have printed (master)."""
        return self.state / "runs.log"

    @property
    def run_socket(self) -> Path:
        """Where the master asks for a run that outlives it."""
        return self.root / "run/wormbase-run.sock"

    @property
    def starman_generations(self) -> Path:
        """The Starmans of the live webapp's service, ``number:pid`` a line; two of them live
        while one takes over from the other."""
        return self.root / "run/wormbase-starman/generations"

    @property
    def announced(self) -> Path:
        """What the beacon announced last, and when (wb-dev)."""
        return self.state / "announced.json"

    @property
    def acknowledgements(self) -> Path:
        """The master's answers to landings (wb-dev)."""
        return self.state / "acknowledged"

    def acknowledged(self, build: Build) -> Path:
        """The master's answer to the landing of a build (wb-dev)."""
        return self.acknowledgements / f"{build}.json"

    @property
    def journal(self) -> Path:
        """What a node was switched from and to, while it is being switched."""
        return self.state / "switch.json"

    @property
    def switch_lock(self) -> Path:
        """Held while the live links of a node are switched."""
        return self.state / "switch.lock"

    @property
    def due(self) -> Path:
        """The servers of a node that have to be restarted once nobody is served there."""
        return self.state / "due"

    @property
    def epoch(self) -> Path:
        """The epoch of the last order that was given to this node."""
        return self.state / "epoch"

    @property
    def epoch_lock(self) -> Path:
        """Held while the epoch of an order is compared and kept."""
        return self.state / "epoch.lock"

    @property
    def enforced(self) -> Path:
        """What had to be on a node when its states were last enforced, by digest."""
        return self.state / "enforced.json"

    @property
    def adopting(self) -> Path:
        """There from the first step of a takeover until the node was brought to its states."""
        return self.state / "adopting"

    @property
    def enforce_lock(self) -> Path:
        """Held while a node enforces its states."""
        return self.state / "enforce.lock"

    @property
    def proxy(self) -> Path:
        """The pools, the map and the lease that HAProxy and its keeper read (proxy)."""
        return self.state / "proxy"

    @property
    def haproxy(self) -> Path:
        """The sockets on which HAProxy takes orders (proxy)."""
        return self.root / "run/wormbase-haproxy"

    @property
    def programs(self) -> Path:
        """The project's own programs on a node; they run without Salt."""
        return self.root / "usr/local/lib/wormbase-release"

    @property
    def carrier(self) -> Path:
        """The key and the configuration with which nodes fetch from one another."""
        return self.state / "carrier"

    def kind(self, kind: str) -> Path:
        """The directory that holds the datasets of a kind."""
        return {
            ACEDB: self.wormbase / "acedb",
            MYSQL: self.root / "usr/local/mysql/data",
            SUPPORT: self.wormbase / "databases",
            WEBAPP: self.website,
        }[kind]

    def dataset(self, dataset: Dataset) -> Path:
        """Where a complete dataset lies."""
        return self.kind(dataset.kind) / dataset.name

    def incoming_of(self, kind: str) -> Path:
        """Where datasets of a kind are built: on the same file system as their places."""
        return self.kind(kind) / ".incoming"

    def incoming(self, dataset: Dataset) -> Path:
        """Where a dataset is built."""
        return self.incoming_of(dataset.kind) / dataset.name

    def removed(self, kind: str) -> Path:
        """Where datasets of a kind are put before their files are removed."""
        return self.incoming_of(kind) / ".removed"

    def marker(self, dataset: Dataset) -> Path:
        """The record that a dataset is complete and verified."""
        return self.state / "verified" / f"{dataset}.json"

    def link(self, name: str) -> Path:
        """A live link by its name: ``acedb``, ``production`` or ``mysql/<database>``."""
        kind, _, database = name.partition("/")
        if kind == MYSQL:
            return self.kind(MYSQL) / database
        return {ACEDB: self.kind(ACEDB) / "wormbase", "production": self.production}[name]

    @property
    def builds(self) -> Path:
        """What wb-dev keeps about builds."""
        return self.wormbase / "builds"

    def build(self, build: Build) -> Path:
        """What wb-dev keeps about a build; ``READY`` in it is the builders' last step."""
        return self.builds / str(build)

    def notes(self, build: Build) -> Path:
        """The release notes, which the builders write (wb-dev)."""
        return self.build(build) / f"letter.{build}"

    def letter(self, build: Build) -> Path:
        """The record that the letter of a build was taken by the mail server (wb-dev)."""
        return self.state / "letters" / f"{build}.json"

    def digests(self, dataset: Dataset) -> Path:
        """Digests of the files of a dataset, and when each file was touched (wb-dev)."""
        return self.state / "digests" / f"{dataset}.json"

    @property
    def pull_lock(self) -> Path:
        """Held by the one pull that is running on a node."""
        return self.state / "pull.lock"

    @property
    def webapp_lock(self) -> Path:
        """Held while a release of the webapp is made, given out or tried on a node."""
        return self.state / "webapp.lock"

    @property
    def parcels(self) -> Path:
        """How builds are made from earlier ones: on wb-dev, and on nodes for their siblings."""
        return self.state / "parcels"

    @property
    def manifests(self) -> Path:
        """The manifests of builds and of webapp releases, on wb-dev and on the nodes."""
        return self.state / "manifests"

    def manifest(self, name: Build | Release) -> Path:
        """The manifest of a build or of a webapp release."""
        return self.manifests / f"{name}.json"

    def figures(self, build: Build) -> Path:
        """What the databases of a sealed build hold, counted (wb-dev)."""
        return self.manifests / f"{build}.figures"
