"""The nodes of a simulated cluster, asked as the real ones are: what they do is a model.

A call can fail, be lost or be the last of this process, which stands for ``kill -9``; after every
call the site as seen from outside is looked at.
"""

from __future__ import annotations

import copy
import functools
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cluster import World, digest
from wbcore.datasets import KINDS, Dataset
from wbcore.disk.retention import ways_back
from wbcore.errors import StepFailed
from wbcore.golive.canary import numbers
from wbcore.golive.epoch import check_order
from wbcore.golive.served import differences, expected
from wbcore.model import desired
from wbcore.model.links import why_live
from wbcore.model.proxy_pools import Lease, to_keep
from wbcore.model.roles import node_links, wants
from wbmaster.ledger import Ledger
from wbmaster.nodes.edition import edition
from wbmaster.nodes.fleet import Answer, Fleet

FAIL, LOSE, KILL_BEFORE, KILL_AFTER = "fails", "is lost", "killed before", "killed after"
TROUBLES = (FAIL, LOSE, KILL_BEFORE, KILL_AFTER)
# When every dataset of every node was read the last time.
LONG_AGO = "2010-01-01T00:00:00+00:00"
# What is of an epoch.
_ORDERS = (
    *("wb_live.switch", "wb_live.heed", "wb_proxy.set_pool", "wb_proxy.change_over"),
    *("wb_proxy.maintain", "wb_proxy.open", "wb_download.follow"),
)


class Killed(BaseException):
    """This process has ended here."""


class Jobs:
    """Jobs that are done one after the other, once their answers are wanted; the others are
    done all the same."""

    def __init__(self, ask: Callable[[str, str, dict[str, Any]], Answer]) -> None:
        self._ask = ask
        self._given: list[tuple[str, str, dict[str, Any]]] = []

    def __enter__(self) -> Jobs:
        return self

    def __exit__(self, trouble: object, *_: object) -> None:
        for _ in self.answers() if trouble is None else ():
            pass

    def give(
        self, nodes: Sequence[str], function: str, patience: int, kwargs: dict[str, Any]
    ) -> None:
        self._given += [(node, function, kwargs) for node in nodes]

    def answers(self) -> Iterator[tuple[str, Answer]]:
        while self._given:
            given = self._given.pop(0)
            yield given[0], self._ask(*given)


class Nodes(Fleet):
    """The nodes of a world, asked as the real ones are.

    ``troubles`` says which call (counted over nodes, from 0) meets which trouble.
    """

    def __init__(self, world: World) -> None:
        super().__init__("")
        self.world = world
        self.troubles: dict[int, str] = {}
        self.asked: list[tuple[str, str]] = []
        # How many calls there were, of all runs.
        self.calls = 0
        self.pools: dict[str, list[str]] = {"a": [], "b": []}
        self.live_pool = "a"
        # What a pool gave to a node before it was left; set_pool waits for it.
        self.under_way: set[str] = set()
        self.lease: Lease | None = None
        self.told: dict[str, list[str]] = {"mail": [], "post": []}
        self.acknowledged: dict[str, str] = {}
        self.notices: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        # The epoch that each node was told last; and nodes whose carrier runs.
        self.epochs: dict[str, int] = {}
        self.carriers: set[str] = set()
        # Which build the links of the download tree lead to, and after which calls it was another
        # than visitors got.
        self.downloads: dict[str, str] = {}
        self.apart: list[str] = []
        # Where the pillar's files are; the editions that nodes go by, at first that of no files.
        self.pillar_roots: dict[str, list[str]] = {}
        self.editions: dict[str, str] = {}
        # Servers that wait to be restarted.
        self.due: dict[str, list[str]] = {}
        self._records: dict[str, Any] = {}
        self._has_served = False
        self._alone = threading.RLock()
        self._be_as_should_be()

    def _be_as_should_be(self) -> None:
        """What can be wrong with nodes, none of which is so at first."""
        # Bytes of a node's disk; a dataset takes 1000.
        self.disks: dict[str, int] = {}
        # What killed pulls left on a node: dataset → bytes.
        self.begun: dict[str, dict[str, int]] = {}
        # Datasets that somebody emptied, and in which lies what nobody sealed; and nodes that can
        # not fetch datasets again.
        self.emptied: dict[str, set[str]] = {}
        self.strange: dict[str, set[str]] = {}
        self.can_not_mend: set[str] = set()
        # Whether nginx passes visitors to HAProxy.
        self.passes = True
        # Nodes whose pillar does not render; seconds by which the clock of a node is wrong.
        self.without_pillar: set[str] = set()
        self.clocks: dict[str, float] = {}

    @property
    def pool(self) -> list[str]:
        """The nodes that serve."""
        return self.pools[self.live_pool]

    @pool.setter
    def pool(self, nodes: list[str]) -> None:
        self.pools[self.live_pool] = nodes

    def jobs(self) -> Any:
        return Jobs(self._ask)

    def lease_ends(self) -> None:
        """What the keeper on the proxy does when nobody took the page down."""
        if self.lease is None:
            return
        answers = {node: self.version(node) for node in self.pool}
        self.pool = to_keep(answers, self.lease) or self.pool
        self.lease = None

    def version(self, node: str) -> dict[str, Any]:
        """What a node's servers answer."""
        return copy.deepcopy(_expected(frozenset(self.world.serving.get(node, {}).items())))

    def _ask(self, node: str, function: str, kwargs: dict[str, Any]) -> Answer:
        with self._alone:
            trouble = self.troubles.get(len(self.asked), "")
            self.asked.append((node, function))
            self.calls += 1
            if node in self.world.absent:
                return Answer(silent=True)
            if trouble == KILL_BEFORE:
                raise Killed
            if trouble == FAIL:
                self._fail_halfway(node, function, kwargs)
                return Answer(error="it failed")
            try:
                order = self._heeded(node, function, kwargs)
            except StepFailed as error:
                return Answer(error=str(error))
            value = getattr(self, function.replace(".", "_"))(node, **order)
            self._look(f"{function} on {node}")
            if trouble == KILL_AFTER:
                raise Killed
            return Answer(silent=True) if trouble == LOSE else Answer(value=value)

    def _heeded(self, node: str, function: str, kwargs: dict[str, Any]) -> dict[str, Any]:
        """An order without its epoch, which is compared with the one that the node holds."""
        if function not in _ORDERS:
            return kwargs
        check_order(self.epochs.get(node, 0), kwargs["epoch"])
        if time.time() + self.clocks.get(node, 0.0) > kwargs.get("before", math.inf):
            raise StepFailed("the order is too old; nothing was done", "give it again")
        self.epochs[node] = kwargs["epoch"]
        return {key: value for key, value in kwargs.items() if key != "epoch"}

    def _fail_halfway(self, node: str, function: str, kwargs: dict[str, Any]) -> None:
        if function == "wb_live.switch":
            wanted = node_links(self.world.settings, node, kwargs["links"])
            self.world.links.setdefault(node, {}).update(list(wanted.items())[:1])
            self.world.half_done.add(node)

    def _look(self, when: str) -> None:
        """The site as anybody sees it: one whole release, or the maintenance page."""
        self._look_for_gaps(when)
        if self.lease is None:
            self._look_at_answers(when)

    def _look_for_gaps(self, when: str) -> None:
        """Every link leads to something, and what serves is not empty."""
        for node in self.world.settings.serving:
            for name, target in self.world.links.get(node, {}).items():
                kind = {"acedb": "acedb", "production": "webapp"}.get(name, "mysql")
                dataset = f"{kind}/{target}"
                if dataset in self.emptied.get(node, ()) and node in self.pool:
                    self.wrong.append(f"{when}: {node} serves {dataset}, which is empty")
                there = {**self.world.lying.get(node, {}), **self.world.held.get(node, {})}
                if dataset not in there:
                    self.wrong.append(f"{when}: {name} of {node} points to a missing {target}")

    def _look_at_answers(self, when: str) -> None:
        """Nobody sees two releases, or half of one, or none."""
        if self._has_served and not self.pool:
            self.wrong.append(f"{when}: no node serves")
        self._has_served = bool(self.pool)
        shown = {str(self.version(node).get("release")) for node in self.pool}
        if shown != {"None"} and self.downloads.get("production") not in builds_of(shown):
            self.apart.append(when)
        if len(shown) > 1:
            self.wrong.append(f"{when}: the site mixes {sorted(shown)}")
        for node in self.pool:
            served = self.world.serving.get(node, {})
            name = served.get("production")
            record = self._record(str(name))
            links = node_links(self.world.settings, node, record.links()) if record else {}
            if record is None or _differs(frozenset(served.items()), frozenset(links.items())):
                self.wrong.append(f"{when}: {node} serves {served}")

    def _record(self, name: str) -> Any:
        if name not in self._records:
            known = self.ledger.known().releases
            self._records = {str(made): record for made, record in known.items()}
        return self._records.get(name)

    ledger: Ledger

    # What the nodes can do, each named as the master calls it.

    def wb_service_due(self, node: str) -> list[str]:
        return sorted(self.due.get(node, []))

    def wb_service_restart_due(self, node: str) -> list[str]:
        if self.lease is None and node in {*self.pool, *self.under_way}:
            self.wrong.append(f"{node} restarted a server while it served")
        return sorted(self.due.pop(node, []))

    def wb_live_heed(self, node: str) -> int:
        return self.epochs[node]

    def wb_live_epoch(self, node: str) -> int:
        return self.epochs.get(node, 0)

    def wb_dataset_manifests(self, node: str) -> dict[str, str]:
        held = map(Dataset.parse, self.world.held.get(node, {}))
        names = {one.name if one.kind == "webapp" else str(one.build) for one in held}
        return {name: digest(name) for name in names}

    def test_ping(self, node: str) -> bool:
        return True

    def wb_node_observe(self, node: str, build: str) -> dict[str, Any]:
        seen = self.world.see(build)
        one = seen.nodes[node]
        told: dict[str, Any] = {
            "clock": time.time() + self.clocks.get(node, 0.0),
            "epoch": self.epochs.get(node, 0),
            "edition": self.editions.get(node, edition({})),
            "settled": one.settled,
        }
        if node in self.world.settings.serving:
            told |= {key: getattr(one, key) for key in ("held", "links", "version", "switch")}
            told["held"] = dict(told["held"])
            told["links"] = dict(told["links"])
            told["free"] = {kind: {"device": "8:1", "bytes_free": 10**9} for kind in KINDS}
        if node == self.world.settings.staging:
            told["staging"] = dict(vars(seen.staging))
        if node == self.world.settings.proxy:
            told["proxy"] = self.wb_proxy_read(node)
        return told

    def saltutil_refresh_pillar(self, node: str, wait: bool, timeout: int) -> bool:
        if node not in self.without_pillar:
            self.editions[node] = edition(self.pillar_roots)
        return True

    def wb_node_enforce(self, node: str) -> dict[str, Any]:
        settings = self.world.settings
        wanted = desired.of_node(settings, self.ledger.known(), node)
        if not wanted or wanted["going_live"] or wanted["epoch"] < self.epochs.get(node, 0):
            return {"put_off": "a go-live is running, or the ledger is an old copy"}
        if node == settings.proxy and self.lease is None:
            self.pool = [
                one
                for one, links in wanted["web"].items()
                if one not in self.world.absent and not differences(self.version(one), links)
            ] or self.pool
        elif node in settings.serving:
            self.world._hold(node, wanted["datasets"])
            self.world.links.setdefault(node, {}).update(wanted["links"])
            self.world.serving[node] = dict(self.world.links[node])
        return {"reports": []}

    def wb_build_survey(
        self, node: str, build: str, databases: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return self.world.survey(build, databases)

    def wb_build_inspect(self, node: str, build: str) -> dict[str, Any]:
        return {"problems": self.world.survey(build)["problems"]}

    def wb_build_builds(self, node: str) -> dict[str, Any]:
        return {build: {"ready": build not in self.world.unfinished} for build in self.world.builds}

    def wb_build_acknowledge(self, node: str, answers: dict[str, str]) -> dict[str, Any]:
        self.acknowledged.update(answers)
        return {"acknowledged": list(answers)}

    def wb_webapp_staged(self, node: str) -> dict[str, Any]:
        return dict(self.world.webapp)

    def wb_announce_tell(
        self, node: str, recipients: list[str], subject: str, text: str
    ) -> dict[str, Any]:
        self.notices.append((subject, text))
        return {"refused": []}

    def wb_build_seal(
        self, node: str, name: str, run: str, databases: dict[str, str] | None = None
    ) -> dict[str, Any]:
        if "-" in name:
            lying = self.world.lying.get(node, {}).get(f"webapp/{name}")
            size = {"files": 1, "bytes": 10, "digest": lying or digest(f"webapp/{name}")}
            return {"name": name, "digest": digest(name), "datasets": {f"webapp/{name}": size}}
        self.world.sealed.add(name)
        return {
            "name": name,
            "digest": digest(name),
            "databases": self.world.survey(name, databases)["databases"],
            "datasets": self.world.survey(name, databases)["datasets"],
        }

    def wb_contents_measure(self, node: str, build: str, dry: bool) -> dict[str, Any]:
        if not dry and build not in self.world.sealed:
            self.wrong.append(f"{build} was counted before it was sealed")
        return {"figures": self.world.counted(build), "missing": ""}

    def wb_parcel_make(self, node: str, name: str, wanted: list[dict[str, str]]) -> dict[str, Any]:
        facts = {"bytes": 1, "scratch": 1}
        made = {one["dataset"]: {one["base"]: facts} for one in wanted}
        for one in wanted:
            if node != self.world.settings.staging or name not in self.world.sealed:
                self.wrong.append(f"{node} was asked for a parcel of {one['dataset']}")
        return {"parcels": made, "without": {}}

    def wb_disk_check(
        self, node: str, datasets: dict[str, Any], parcels: int = 0
    ) -> dict[str, Any]:
        needs, has = 1000 * len(datasets), self._bytes_free(node)
        var = self.disks.get(f"{node}:/var", 10**9)
        live = {f"{kind}/{self.world.links[node][link]}" for kind, link in self._links(node)}
        return {
            "ok": needs <= has and parcels <= var,
            "problems": [],
            "disks": {
                "8:1": {
                    "kinds": list(KINDS),
                    "needs": {"bytes": needs, "inodes": 0},
                    "has": {"bytes": has, "inodes": 0},
                },
                "8:2": {
                    "kinds": ["parcels"],
                    "needs": {"bytes": parcels, "inodes": 0},
                    "has": {"bytes": var, "inodes": 0},
                },
            },
            "purgeable": {
                dataset: {"device": "8:1", "bytes": 1000, "inodes": 2}
                for dataset in self.world.held.get(node, {})
                if dataset not in datasets and dataset not in live
            },
        }

    def wb_disk_free(self, node: str) -> dict[str, Any]:
        disk = {
            "device": "8:1",
            "bytes_free": self._bytes_free(node),
            "bytes_total": self.disks.get(node, 10**9),
        }
        return dict.fromkeys(KINDS, disk)

    def _bytes_free(self, node: str) -> int:
        begun = sum(self.begun.get(node, {}).values())
        return self.disks.get(node, 10**9) - 1000 * len(self.world.held.get(node, {})) - begun

    def _links(self, node: str) -> list[tuple[str, str]]:
        kinds = {"acedb": "acedb", "production": "webapp"}
        return [(kinds.get(link, "mysql"), link) for link in self.world.links.get(node, {})]

    def wb_dataset_pull(
        self, node: str, name: str, digest: str, datasets: list[str], sources: Any, step: str
    ) -> dict[str, Any]:
        for dataset in datasets:
            staged = node == self.world.settings.staging and step == "seal_live"
            if not (staged or wants(self.world.settings, node, dataset)):
                self.wrong.append(f"{node} was made to fetch {dataset}")
        self.world._hold(node, datasets)
        facts = {"bytes": 1000, "received": 100, "source": sources[0]["node"], "already": False}
        return {"datasets": dict.fromkeys(datasets, facts), "mended": []}

    def wb_node_carry(self, node: str, test: bool) -> list[str]:
        if node in self.carriers:
            return []
        if not test:
            self.carriers.add(node)
        return ["the carrier runs"]

    def wb_node_settle(self, node: str, test: bool) -> list[str]:
        if not test:
            self.world.unsettled.discard(node)
        return ["Starman runs"]

    def wb_nginx_passes(self, node: str) -> bool:
        return self.passes

    def wb_dataset_present(self, node: str, datasets: list[str]) -> list[str]:
        return [one for one in datasets if one in self.world.held.get(node, {})]

    def wb_dataset_adopt(
        self, node: str, manifests: dict[str, Any], sources: Any, repair: bool, step: str
    ) -> dict[str, Any]:
        if node not in self.carriers:
            self.wrong.append(f"{node} takes over without a carrier")
        told = {}
        for name, given in manifests.items():
            if name not in self.world.sealed and "-" not in name:
                self.wrong.append(f"{node} takes over {name}, which is not sealed")
            for dataset in given["datasets"]:
                told[dataset] = self._adopted(node, dataset, repair)
        return {"received": 100 * sum(one["repaired"] for one in told.values()), "datasets": told}

    def _adopted(self, node: str, dataset: str, repair: bool) -> dict[str, Any]:
        already = dataset in self.world.held.get(node, {})
        good = already or self.world.lying[node].get(dataset) == digest(dataset)
        if good or repair:
            self.world._hold(node, [dataset])
        extra = dataset in self.strange.get(node, ())
        return {
            **{"bytes": 1000, "already": already, "error": "", "source": ""},
            **{"faults": 0 if good else 7, "shown": [] if good else list("abcde")},
            **{"extra": int(extra), "shown_extra": ["x"] if extra else []},
            "repaired": repair and not good,
        }

    def wb_dataset_lacking(self, node: str, datasets: list[str]) -> list[str]:
        for dataset in datasets:
            if dataset not in self.world.held.get(node, {}):
                raise AssertionError(f"{node} is asked about {dataset}, which it does not hold")
        return [one for one in datasets if one in self.emptied.get(node, ())]

    def wb_dataset_verify(self, node: str, datasets: list[str]) -> dict[str, Any]:
        if node in self.can_not_mend:
            return {one: {"error": "no source has it"} for one in datasets}
        self.emptied.get(node, set()).difference_update(datasets)
        return {one: {"error": ""} for one in datasets}

    def wb_dataset_held(self, node: str) -> dict[str, Any]:
        return {key: {"read": LONG_AGO} for key in self.world.held.get(node, {})}

    def wb_webapp_assemble(self, node: str, release: str) -> dict[str, Any]:
        return {}

    def wb_mysql_examine(self, node: str, databases: dict[str, str]) -> dict[str, Any]:
        return {"tables": len(databases), "seconds": 0.1, "faults": {}}

    def wb_webapp_preflight(self, node: str, release: str, **needs: Any) -> dict[str, Any]:
        return {
            "answers": {"/": {"status": 200, "seconds": 0.1}},
            "version": {"release": release},
        }

    def wb_live_switch(
        self, node: str, links: dict[str, str], run: str, before: float
    ) -> dict[str, Any]:
        if self.lease is None and node in {*self.pool, *self.under_way}:
            self.wrong.append(f"{node} was switched while it served")
        wanted = node_links(self.world.settings, node, links)
        have = self.world.links.setdefault(node, {})
        changed = {name: to for name, to in wanted.items() if have.get(name) != to}
        have.update(wanted)
        self.world.serving[node] = dict(have)
        self.world.half_done.discard(node)
        return {"changed": changed, "version": self.version(node), "seconds": 0.1}

    def wb_live_version(self, node: str) -> dict[str, Any]:
        return self.version(node)

    def wb_proxy_maintain(
        self, node: str, release: str, seconds: float, patience: float, links: dict[str, Any]
    ) -> dict[str, Any]:
        # A page that is put up again is still about what was served before it went up.
        if self.lease is None:
            served = {node: self.version(node) for node in self.pool}
            self.lease = Lease(release, 0.0, 0.0, {}, served, links)
        return {}

    def wb_proxy_open(self, node: str) -> dict[str, Any]:
        self.lease = None
        return {}

    def wb_proxy_read(self, node: str) -> dict[str, Any]:
        page = {"until": 0.0, "release": self.lease.release} if self.lease else None
        pools = {name: list(nodes) for name, nodes in self.pools.items()}
        return {"live": self.live_pool, "pools": pools, "maintenance": page}

    def wb_proxy_set_pool(self, node: str, pool: str, nodes: list[str]) -> dict[str, Any]:
        self.pools[pool] = list(nodes)
        self.under_way.clear()
        return {}

    def wb_proxy_change_over(self, node: str, pool: str) -> dict[str, Any]:
        old, self.live_pool = self.live_pool, pool
        self.under_way |= set(self.pools[old])
        return {"old": old, "new": pool}

    def wb_proxy_watch(self, node: str, seconds: float, percent: float) -> dict[str, Any]:
        answers = {"answers": 1000, "errors": 0}
        return {"before": answers, "after": answers, "bad": False}

    def wb_proxy_ask(
        self, node: str, path: str, nodes: list[str], measure: bool = False
    ) -> dict[str, Any]:
        def page(one: str) -> dict[str, Any]:
            body = self.version(one)
            return {"numbers": numbers(body)} if measure else {"body": body}

        return self._through_proxy(nodes, page)

    def wb_proxy_reports(self, node: str, nodes: list[str]) -> dict[str, Any]:
        return self._through_proxy(nodes, lambda one: {"body": self.version(one)})

    def _through_proxy(
        self, nodes: list[str], page: Callable[[str], dict[str, Any]]
    ) -> dict[str, Any]:
        return {
            one: {"status": 200, "seconds": 0.1, **page(one)}
            if one not in self.world.absent
            else {"status": 0, "seconds": 0.1, "body": "ConnectionRefusedError"}
            for one in nodes
        }

    def wb_download_follow(self, node: str, builds: dict[str, str]) -> dict[str, Any]:
        changed = {
            kind: build for kind, build in builds.items() if self.downloads.get(kind) != build
        }
        self.downloads.update(builds)
        return {"links": list(builds), "changed": changed, "troubles": []}

    def wb_software_publish(self, node: str, release: str) -> dict[str, Any]:
        return {"tarball": f"{release}.tgz", "bytes": 1}

    def wb_webapp_tag(self, node: str, release: str) -> dict[str, Any]:
        return {"tag": release, "already": False}

    def wb_software_reference(self, node: str, release: str) -> dict[str, Any]:
        return {}

    def wb_announce_post(self, node: str, release: str, before: str) -> str:
        return self._once("post", release)

    def wb_announce_mail(self, node: str, release: str, before: str) -> str:
        return self._once("mail", release)

    def _once(self, what: str, release: str) -> str:
        # The node looks first whether it was sent, so asking twice sends it once.
        if release not in self.told[what]:
            self.told[what].append(release)
        return release

    def wb_dataset_found(self, node: str) -> dict[str, Any]:
        facts = {"bytes": 1000, "files": 1, "verified": True}
        return {dataset: facts for dataset in self.world.held.get(node, {})}

    def wb_dataset_sweep(self, node: str, coming: list[str]) -> bool:
        begun = self.begun.get(node, {})
        self.begun[node] = {one: size for one, size in begun.items() if one in coming}
        return True

    def wb_dataset_remove(
        self, node: str, datasets: list[str], may_keep_all: bool
    ) -> dict[str, Any]:
        known = self.ledger.known()
        needed = {
            dataset
            for one in [*known.stack[-1:], *ways_back(known)]
            for dataset in known.releases[one].datasets
        }
        self.wrong += [f"{node} had {one} removed" for one in datasets if one in needed]
        live = self.world.links.get(node, {})
        why = {one: why_live(Dataset.parse(one), live) for one in datasets}
        if all(why.values()) and not may_keep_all:
            raise AssertionError(f"{node} refuses to remove {datasets}")
        going = [one for one in datasets if not why[one]]
        for dataset in going:
            self.world.held[node].pop(dataset, None)
        kept = {one: f"is live here (the link {link} says so)" for one, link in why.items() if link}
        return {"freed": dict.fromkeys(going, 1000), "kept": kept}

    def wb_build_forget(self, node: str, build: str) -> dict[str, Any]:
        return {"forgotten": []}


@functools.cache
def _expected(served: frozenset[tuple[str, str]]) -> dict[str, Any]:
    return expected(dict(served))


@functools.cache
def _differs(served: frozenset[tuple[str, str]], links: frozenset[tuple[str, str]]) -> bool:
    """Whether a node that serves by some links does not serve what others promise."""
    return bool(differences(expected(dict(served)), dict(links)))


def builds_of(releases: set[str]) -> set[str]:
    """The builds of these releases."""
    return {name.partition("-")[0] for name in releases}
