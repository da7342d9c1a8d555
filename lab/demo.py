"""The demonstration: on a new lab WS221 is released by a command, and WS222 lands."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from .cluster import Cluster
from .command import run
from .inventory import LOCAL, MASTER
from .services import blog, mail

BUILD, LANDED = "WS221", "WS222"
POSTS = "/index.php?rest_route=/wp/v2/posts"
GENE = "/gene/WBGene00000898"
REMOTE_NODE = "canopus"
RELEASE = ("salt-run", "state.orch", "orch.release", f"pillar={{build: {BUILD}}}")
# The steps of the wiki page, by the names that the ledger gives them.
WIKI = {
    "check_disk_space": 1,
    "purge_old_releases": 2,
    "push_acedb": 3,
    "push_mysql": 4,
    "push_support": 5,
    "take_out_of_service": 6,
    "push_webapp": 7,
    "go_live": 8,
    "return_to_service": 9,
    "post_blog": 10,
    "send_mail": 11,
}
SOFTWARE = "/usr/local/ftp/pub/wormbase/software"
READY = f"/usr/local/wormbase/builds/{LANDED}/READY"
# From the last byte of a build until its run has ended.
PATIENCE_SECONDS = 300


def main() -> int:
    """Run the demonstration; exit code 0 only when everything shown is as it has to be."""
    began, lab = time.monotonic(), Cluster()
    say("A new lab: eight nodes, WS220 live on every one")
    run("bin/lab", "down", cwd=lab.place.checkout)
    step(lab, "bin/lab", "up")
    good = [by_command(lab), by_itself(lab)]
    say(f"{'Everything is as it should be' if all(good) else 'Something is not as it should be'}, "
        f"after {time.monotonic() - began:.0f} s")  # fmt: skip
    return 0 if all(good) else 1


def by_command(lab: Cluster) -> bool:
    """Release a staged build; whether everything shown is right."""
    say(f"{BUILD} is staged on wb-dev")
    step(lab, "bin/lab", "build", BUILD)
    say("salt-run state.orch orch.release pillar='{build: " + BUILD + "}'")
    before = sent(lab)
    step(lab, "bin/lab", "exec", MASTER, *RELEASE)
    return show(lab, BUILD, "command", sent(lab) - before)


def by_itself(lab: Cluster) -> bool:
    """Let a build land, and do nothing else; whether everything shown is right."""
    say(f"{LANDED} lands on wb-dev, and nobody gives a command")
    before = sent(lab)
    step(lab, "bin/lab", "build", LANDED, "--land")
    last_byte = lab.node("wb-dev").path(READY).stat().st_mtime
    wait(f"{LANDED} is live", lambda: LANDED in fetch(lab, "/version"))
    print(f"{LANDED} is live, {time.time() - last_byte:.0f} s after its last byte", flush=True)
    wait(f"the run of {LANDED} ends", lambda: newest_run(lab)["outcome"] != "running")
    return show(lab, LANDED, "landed", sent(lab) - before)


def wait(what: str, question: Callable[[], bool]) -> None:
    """Return as soon as something is so; end the demonstration when it does not come."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not question():
        if time.monotonic() > until:
            sys.exit(f"not within {PATIENCE_SECONDS} s: {what}")
        time.sleep(0.5)


def sent(lab: Cluster) -> int:
    """Bytes that have crossed from the local site to the remote one so far."""
    return int(lab.network.carried()[LOCAL])


def say(line: str) -> None:
    """A heading."""
    print(f"\n=== {line}", flush=True)


def step(lab: Cluster, *command: str) -> None:
    """Run a command with its output shown; end the demonstration when it fails."""
    pid = os.spawnvp(os.P_NOWAIT, command[0], list(command))
    _, status = os.waitpid(pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")


def show(lab: Cluster, build: str, cause: str, crossed: int) -> bool:
    """Print what the newest run has come to; whether all of it is right."""
    newest, status = newest_run(lab), runner(lab, "wb_release.status")
    release = status["live"]
    say(f"Steps of {newest['run']}, cause: {newest['cause']}")
    for name, figures in newest["steps"].items():
        print(f"  {WIKI.get(name, ''):>2} {name:20} {figures.get('seconds', 0):6.1f} s")
    say(f"Nodes, as their services answer ({release} is to be live)")
    serving = [print_node(name, node) for name, node in status["nodes"].items()]
    say("Through the proxy, and what was announced")
    right = [newest["cause"] == cause, release.startswith(f"{build}-"), *serving,
             *outside(lab, build, release)]  # fmt: skip
    whole = sum(
        dataset["bytes"] for name, dataset in held(lab, REMOTE_NODE).items() if build in name
    )
    window = newest["steps"]["return_to_service"]["window"]
    print(f"  {whole / 1e6:.1f} MB of new data on {REMOTE_NODE}, {crossed / 1e6:.1f} MB crossed: "
          f"{100 * (1 - crossed / whole):.1f} % of the bytes were saved; "
          f"maintenance page up {window} s")  # fmt: skip
    return all(right)


def newest_run(lab: Cluster) -> dict[str, Any]:
    """The newest run, as people are shown it."""
    return dict(runner(lab, "wb_release.history", "limit=1")[0])


def held(lab: Cluster, node: str) -> dict[str, Any]:
    """The verified datasets of a node."""
    told = lab.node(MASTER).call("salt", "--out=json", "--static", node, "wb_dataset.held")
    return dict(json.loads(told.stdout)[node])


def print_node(name: str, node: dict[str, Any]) -> bool:
    """One line about a node; whether it serves the whole release."""
    print(f"  {name:10} {node['state']:8} {node.get('release', '')}")
    return node["state"] == "whole"


def outside(lab: Cluster, build: str, release: str) -> list[bool]:
    """What a visitor and a reader see, a line each."""
    web = {host.name for host in lab.inventory.hosts if "web" in host.roles}
    answers = [json.loads(fetch(lab, "/version")) for _ in range(len(web) * 4)]
    gene = fetch(lab, GENE)
    letters = lab.node("wb-dev").call("grep", "-rlE", f"^Subject:.*{build}", mail.MAILDIR)
    posts = fetch(lab, POSTS, "wb-dev", blog.PORT)
    tarball = lab.node("wb-dev").call("tar", "tzf", f"{SOFTWARE}/current.tgz")
    checks = {
        f"/version answers {release} from {len(web)} web nodes": (
            {answer["node"] for answer in answers} == web
            and {answer["release"] for answer in answers} == {release}
        ),
        f"{GENE} shows daf-2 of {build}": "daf-2" in gene and build in gene,
        "the letter is in the mailbox": bool(letters.stdout.split()),
        "the post is on the blog": build in posts,
        "current.tgz unpacks": tarball.returncode == 0 and "lib/WormBase/Web.pm" in tarball.stdout,
    }
    for sentence, right in checks.items():
        print(f"  {'yes' if right else 'NO '} {sentence}")
    return list(checks.values())


def fetch(lab: Cluster, path: str, node: str = "fe", port: int = 80) -> str:
    """A page, through the proxy when no node is named."""
    try:
        url = f"http://{lab.address(node)}:{port}{path}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.read().decode()
    except urllib.error.URLError as error:
        return f"{error}"


def runner(lab: Cluster, function: str, *words: str) -> Any:
    """What one of our runners answers on the master."""
    told = lab.node(MASTER).call("salt-run", "--out=json", function, *words)
    return json.loads(told.stdout)


if __name__ == "__main__":
    sys.exit(main())
