"""The command line of the lab."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable

from . import project
from .builds import STAGING, stage
from .cluster import Cluster
from .command import LabError
from .founding import found, join, start
from .logs import show
from .network import WAN_MEGABYTES


def main(words: list[str] | None = None) -> int:
    """Run one subcommand; returns the exit code."""
    options = _parser().parse_args(words)
    if os.geteuid() != 0:
        print("bin/lab has to run as root", file=sys.stderr)
        return 2
    try:
        options.run(Cluster(), options)
    except LabError as error:
        print(f"bin/lab {options.verb}: {error}", file=sys.stderr)
        return 1
    return 0


def _up(cluster: Cluster, options: argparse.Namespace) -> None:
    cluster.stand(options.wan, disk=options.disk, scale=options.scale, old=options.old)
    if not options.bare:
        found(cluster)


def _install(cluster: Cluster, options: argparse.Namespace) -> None:
    project.install(cluster)


def _down(cluster: Cluster, options: argparse.Namespace) -> None:
    cluster.down()


def _status(cluster: Cluster, options: argparse.Namespace) -> None:
    status = cluster.status()
    if options.json:
        print(json.dumps(status))
        return
    for name, node in status["nodes"].items():
        state = "up" if node["up"] else "down"
        minion = "minion answers" if node["minion"] else "minion silent"
        print(f"{name:10} {node['address']:15} {node['site']:7} {state:5} {minion}")


def _exec(cluster: Cluster, options: argparse.Namespace) -> None:
    command = cluster.node(options.node).enter(options.command)
    os.execvp(command[0], command)


def _crash(cluster: Cluster, options: argparse.Namespace) -> None:
    cluster.crash(options.node)


def _add(cluster: Cluster, options: argparse.Namespace) -> None:
    join(cluster, options.node, options.like)


def _start(cluster: Cluster, options: argparse.Namespace) -> None:
    start(cluster, options.node)


def _cut(cluster: Cluster, options: argparse.Namespace) -> None:
    cluster.network.cut(cluster.node(options.node).name)


def _heal(cluster: Cluster, options: argparse.Namespace) -> None:
    cluster.network.heal(cluster.node(options.node).name)


def _logs(cluster: Cluster, options: argparse.Namespace) -> None:
    show(cluster.node(options.node), cluster.layers, options.lines)


def _build(cluster: Cluster, options: argparse.Namespace) -> None:
    made = stage(
        cluster, options.build, options.scale, options.seed, options.land, options.lose_genes
    )
    print(f"{made['build']} is staged on {STAGING}: {made['files']:,} files, "
          f"{made['bytes'] / 1e6:,.1f} MB, {made['seconds']} s")  # fmt: skip


def _wan(cluster: Cluster, options: argparse.Namespace) -> None:
    if options.rate:
        cluster.network.limit(options.rate)
    network = cluster.network
    print(json.dumps({**network.carried(), "nodes": network.carried_by_node()}))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bin/lab", description="A whole WormBase cluster on this machine."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(
        name: str, run: Callable[..., None], help: str, node: bool = False
    ) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=help)
        sub.set_defaults(run=run)
        if node:
            sub.add_argument("node", metavar="NODE")
        return sub

    up = verb("up", _up, "make the lab unless there is one; boot what is down")
    up.add_argument("--disk", type=int, metavar="MB",
                    help="a new lab's nodes have so small a /usr/local each")  # fmt: skip
    up.add_argument("--wan", type=float, default=WAN_MEGABYTES, metavar="MB/S",
                    help="what the link to the remote site carries (%(default)s)")  # fmt: skip
    up.add_argument("--scale", type=float, metavar="N",
                    help="size of the build that a new lab has live (1)")  # fmt: skip
    up.add_argument("--bare", action="store_true",
                    help="only nodes with minions: nothing installed, nothing live")  # fmt: skip
    up.add_argument("--old", action="store_true",
                    help="a new lab without the project, WS220 live by old scripts")  # fmt: skip
    add = verb("add", _add, "a new node joins; it holds and serves what is live", node=True)
    add.add_argument("--like", required=True, metavar="NODE2",
                     help="the node whose site and roles it gets")  # fmt: skip
    verb("down", _down, "remove the lab with its disks")
    status = verb("status", _status, "the nodes: address, site, up, minion")
    status.add_argument("--json", action="store_true")
    execute = verb("exec", _exec, "run a command on a node; its exit code is passed on", node=True)
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="CMD")
    verb("crash", _crash, "a power cut: every process dies, the disk stays", node=True)
    verb("start", _start, "boot a node; returns when services and minion answer", node=True)
    verb("cut", _cut, "cut a node off the network", node=True)
    verb("heal", _heal, "undo cut", node=True)
    logs = verb("logs", _logs, "the last lines of a node's logs", node=True)
    logs.add_argument("--lines", type=int, default=40, metavar="N", help="of each (%(default)s)")
    _build_options(verb("build", _build, "stage a new build on wb-dev, changed against the newest"))
    verb("install", _install, "install the working tree on the master and apply all states")
    wan = verb("wan", _wan, "bytes each site has sent over the WAN, and that crossed for a node")
    wan.add_argument("--rate", type=float, metavar="MB/S", help="set what the WAN carries")
    return parser


def _build_options(build: argparse.ArgumentParser) -> None:
    build.add_argument("build", metavar="WS222")
    build.add_argument("--land", action="store_true", help="mark it READY, as builders do last")
    build.add_argument("--scale", type=float, metavar="N",
                       help="size; that of the newest build there, or 1")  # fmt: skip
    build.add_argument("--seed", type=int, default=1, metavar="S", help="(%(default)s)")
    build.add_argument("--lose-genes", type=float, default=0, metavar="PERCENT",
                       help="for trying the gate: a build whose AceDB lacks so many")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
