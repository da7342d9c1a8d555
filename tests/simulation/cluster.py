"""The cluster of docs/field.md as the core sees it, and a model of what a run does to it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from wbcore.golive.served import expected
from wbcore.model.ledger_facts import Known, ReleaseRecord, Switch
from wbcore.model.observations import NodeSeen, Seen, StagingSeen
from wbcore.model.roles import node_links, wants
from wbcore.names import Build, Release
from wbcore.planning.plan import Plan
from wbcore.planning.planner import decide
from wbcore.requests import Request
from wbcore.settings import Settings

ALL = ["acedb", "mysql", "support", "web"]
PILLAR: dict[str, Any] = {
    "nodes": {
        "wb-dev": {"address": "10.0.0.2", "site": "local", "roles": ["staging"]},
        "fe": {"address": "10.0.0.3", "site": "local", "roles": ["proxy"]},
        "wb-web1": {"address": "10.0.0.11", "site": "local", "roles": ALL},
        "wb-web2": {"address": "10.0.0.12", "site": "local", "roles": ALL},
        "wb-mining": {"address": "10.0.0.21", "site": "local", "roles": [*ALL, "mining"]},
        "wb-gb1": {"address": "10.0.0.31", "site": "local", "roles": ["mysql"]},
        "canopus": {"address": "10.1.0.11", "site": "remote", "roles": ALL},
    }
}
TODAY = datetime.date(2010, 12, 24)
WEBAPP = {"webapp": "0.02", "revision": 1350, "tip": 1350, "modified": []}


def settings(**sections: Any) -> Settings:
    """The cluster of docs/field.md, with sections of the pillar given."""
    return Settings.parse({**PILLAR, **sections})


def release(build: str, revision: int = 1350, webapp: str = "0.02") -> Release:
    """A release of a build, made on the day of these tests."""
    return Release(Build.parse(build), TODAY, webapp, revision)


def request(kind: str, build: str = "", **flags: bool) -> Request:
    """A request as the command line gives it."""
    return Request.parse(kind, {**({"build": build} if build else {}), **flags})


@dataclass
class World:
    """All that a run changes. A node's servers serve ``serving[node]``, which is what its
    links were when they were last restarted."""

    settings: Settings
    builds: dict[str, dict[str, str]] = field(default_factory=dict)
    folders: tuple[str, ...] = ("ontology", "blast")
    sealed: set[str] = field(default_factory=set)
    # Staged, and not READY.
    unfinished: set[str] = field(default_factory=set)
    webapp: dict[str, Any] = field(default_factory=lambda: dict(WEBAPP))
    held: dict[str, dict[str, str]] = field(default_factory=dict)
    # What lies on a node that nobody has verified: dataset → digest.
    lying: dict[str, dict[str, str]] = field(default_factory=dict)
    links: dict[str, dict[str, str]] = field(default_factory=dict)
    serving: dict[str, dict[str, str]] = field(default_factory=dict)
    half_done: set[str] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)
    genes: dict[str, int] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    absent: tuple[str, ...] = ()
    # What keeps a build from being announced.
    unready: dict[str, list[str]] = field(default_factory=dict)

    def stage(self, build: str, *rebuilt: str) -> None:
        """A build lands: these databases were rebuilt for it, all for the first one."""
        databases = next(reversed(self.builds.values()), {})
        chosen = rebuilt or (("c_elegans",) if databases else ("c_elegans", "clustal"))
        self.builds[build] = {**databases, **{name: f"{name}_{build}" for name in chosen}}

    def serve_unadopted(self, live: Release) -> None:
        """A staged build serves with a webapp, as old scripts left both."""
        databases = self.builds[str(live.build)]
        links = ReleaseRecord(live, "", "", databases, ()).links()
        datasets = [*self.datasets(str(live.build)), f"webapp/{live}"]
        self.unsettled = set(self.settings.nodes)
        for node in self.settings.serving:
            wanted = [one for one in datasets if wants(self.settings, node, one)]
            self.lying[node] = {one: digest(one) for one in wanted}
            self.links[node] = node_links(self.settings, node, links)
            self.serving[node] = dict(self.links[node])

    def datasets(self, build: str) -> list[str]:
        """Ids of the datasets in the manifest of a build."""
        return [
            f"acedb/wormbase_{build}",
            *(f"mysql/{directory}" for directory in self.builds[build].values()),
            *(f"support/{build}/{folder}" for folder in self.folders),
        ]

    def counted(self, build: str) -> dict[str, dict[str, int]]:
        """What ``wb_contents.measure`` counts; ``genes`` says of which build it is unusual."""
        return {
            "classes": {"Gene": self.genes.get(build, 20_000)},
            "rows": {f"{name}/fdata": 900_000 for name in self.builds[build]},
        }

    def survey(self, build: str, databases: Mapping[str, str] | None = None) -> dict[str, Any]:
        """What ``wb_build.survey`` answers."""
        if build not in self.builds:
            return {"build": build, "staged": False}
        sealed = build in self.sealed
        facts = {"files": 1, "bytes": 1000}
        return {
            "build": build,
            "staged": True,
            "ready": True,
            "sealed": digest(build) if sealed else "",
            "changed": [],
            "problems": [],
            "databases": dict(databases or self.builds[build]),
            "datasets": {
                one: {**facts, "digest": digest(one)} if sealed else facts
                for one in self.datasets(build)
            },
        }

    def see(self, build: str = "") -> Seen:
        """What all nodes answer when they are asked with this build in mind."""
        nodes = {
            node: NodeSeen(
                self.held.get(node, {}),
                self.links.get(node, {}),
                self._version(node),
                {"run": "died"} if node in self.half_done else {},
                settled=node not in self.unsettled,
            )
            for node in self.settings.nodes
            if node not in self.absent
        }
        staging = StagingSeen(
            dict.fromkeys(self.builds, True),
            self.survey(build) if build else {},
            self.webapp,
            self.unready,
        )
        if self.settings.staging in self.absent:
            staging = StagingSeen()
        return Seen(nodes, staging, absent=self.absent)

    def plan(self, asked: Request) -> Plan:
        """What the core decides, or the error that it refuses with."""
        seen = self.see(str(asked.build or ""))
        return decide(asked, self.settings, self.known, seen, TODAY)

    def release(self, build: str) -> Plan:
        """Release a build, every node answering."""
        plan = self.plan(request("release", build))
        self.carry_out(plan)
        return plan

    def carry_out(self, plan: Plan) -> None:
        """Do to this world what a run does that meets no trouble."""
        if plan.seals:
            self.sealed.add(str(plan.request.build))
        for node, datasets in plan.pulls.items():
            self._hold(node, datasets)
        if plan.release is None:
            return
        if plan.needs_golive:
            self._go_live(plan, plan.release)
        for step, flag in (("publish", "published"), ("post", "posted"), ("mail", "mailed")):
            if step in plan.announce:
                record = replace(self.known.releases[plan.release], **{flag: True})
                self._record(record)

    def interrupt(self, plan: Plan, flipped: int) -> None:
        """Die in the change-over when so many nodes were switched."""
        assert plan.release is not None
        if plan.release not in self.known.releases:
            self._make(plan, plan.release)
        switch = Switch("died", plan.before, plan.release)
        self.known = replace(self.known, switch=switch)
        for node in list(plan.present)[:flipped]:
            self._flip(node, self.known.releases[plan.release])

    def _go_live(self, plan: Plan, live: Release) -> None:
        if plan.request.kind != "rollback":
            self._make(plan, live)
        for node in plan.present:
            self._flip(node, self.known.releases[live])
        stack = list(self.known.stack)
        if plan.request.kind == "rollback":
            stack = stack[: len(stack) - stack[::-1].index(live)]
        elif not stack or stack[-1] != live:
            stack.append(live)
        self.known = replace(self.known, stack=stack, switch=None)

    def _make(self, plan: Plan, made: Release) -> None:
        webapp = f"webapp/{made}"
        for node in plan.present:
            if "web" in self.settings.nodes[node].roles:
                self._hold(node, [webapp])
        datasets = [*self._datasets_of(plan), webapp]
        old = self.known.releases.get(made)
        fresh = ReleaseRecord(
            made, digest(str(made)), digest(str(made.build)), plan.databases, datasets
        )
        done = {flag: getattr(old, flag) for flag in ("published", "posted", "mailed") if old}
        self._record(replace(fresh, **done))

    def _datasets_of(self, plan: Plan) -> list[str]:
        if plan.seals:
            return list(plan.sizes)
        assert plan.before is not None
        before = self.known.releases[plan.before].datasets
        return [dataset for dataset in before if not dataset.startswith("webapp/")]

    def _flip(self, node: str, record: ReleaseRecord) -> None:
        links = node_links(self.settings, node, record.links())
        self.links.setdefault(node, {}).update(links)
        self.serving[node] = dict(self.links[node])
        self.half_done.discard(node)

    def _hold(self, node: str, datasets: Any) -> None:
        self.held.setdefault(node, {}).update({one: digest(one) for one in datasets})

    def _record(self, record: ReleaseRecord) -> None:
        self.known = replace(self.known, releases={**self.known.releases, record.release: record})

    def _version(self, node: str) -> Mapping[str, Any]:
        return expected(self.serving.get(node, {}))


def digest(name: str) -> str:
    """A digest that is the same for the same content."""
    return f"sha256 of {name}"


def field_world(*builds: str) -> World:
    """The cluster of docs/field.md with these builds staged, none of them released."""
    world = World(settings())
    for build in builds:
        world.stage(build)
    return world


def live_world(*builds: str) -> World:
    """The cluster of docs/field.md, where these builds landed and were released in turn."""
    world = World(settings())
    for build in builds:
        world.stage(build)
        world.release(build)
    return world
