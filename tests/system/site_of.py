"""What tests ask of the whole site: who serves what, and what lies where."""

from __future__ import annotations

import ftplib
import http.client
import json
import math
import re
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from labclient import Lab
from wbcore.layout import Layout

# Eight clients that pause as long meet whatever lasts longer than a hundredth of a second or so,
# and leave the machine to what they watch.
PAUSE_SECONDS = 0.1
# A minute of a schedule, its splay, and a machine with much else to do.
SOON = 240
GENE = "/gene/WBGene00000898"
STAGING = "/usr/local/wormbase/website/staging"
_LINKED = " current-production-release -> "
_SITE = "/srv/wormbase-site/pillar/site.sls"
# The lab writes the pillar as JSON, after a line for Salt.
_SET = """
import json, sys
path, section, settings = sys.argv[1:]
head, text = open(path).read().split("\\n", 1)
site = json.loads(text)
have = site["wormbase"].get(section, {}) | json.loads(settings)
was = {key: site["wormbase"].get(section, {}).get(key) for key in json.loads(settings)}
site["wormbase"][section] = {key: value for key, value in have.items() if value is not None}
open(path, "w").write(head + "\\n" + json.dumps(site))
print(json.dumps(was))
"""
# Kills the first process of a service, or all of them; milliseconds until it runs again.
_KILL = """
main() { systemctl show -p MainPID --value "$1"; }
old=$(main "$1") began=$(date +%s%N)
[ "$2" = main ] && killed=$old || killed=$(cat /sys/fs/cgroup/system.slice/$1.service/cgroup.procs)
kill -9 $killed
until now=$(main "$1"); [ "$now" != 0 ] && [ "$now" != "$old" ] && systemctl is-active -q "$1"; do
    sleep 0.02
done
echo $((($(date +%s%N) - began) / 1000000))
"""
# What HAProxy knows of its servers.
_SERVERS = """
import socket, sys
with socket.socket(socket.AF_UNIX) as admin:
    admin.connect(f"{sys.argv[1]}/admin.sock")
    admin.sendall(b"show servers state; show stat -1 4 -1\\n")
    admin.shutdown(socket.SHUT_WR)
    print(*iter(lambda: admin.recv(65536).decode(), ""), sep="")
"""
_TREE = (
    "cd / && find usr/local/wormbase usr/local/mysql/data usr/local/ftp var/mail "
    "var/lib/wormbase-release -xdev ! -name '*.log' ! -name '*.lock' ! -name '*.wrm' "
    "! -name 'aria*' ! -path '*/.hg/*' ! -path '*/logs/*' ! -path '*/run.lock' "
    "! -path '*/readlocks*' ! -name 'ledger.sqlite-*' "
    "! -type d -printf '%p %l %i %s %T@\\n' 2>/dev/null | sort"
)


def builds_on(lab: Lab, node: str) -> list[int]:
    """Numbers of the builds whose support databases a node has."""
    listed = lab.exec(node, "ls", "/usr/local/wormbase/databases").stdout.split()
    return [int(name[2:]) for name in listed if name.startswith("WS")]


def next_build(lab: Lab) -> str:
    """The build after the newest that is staged, whether that was ever live or not."""
    return f"WS{max(builds_on(lab, 'wb-dev')) + 1}"


def answers(lab: Lab, count: int = 16) -> list[dict[str, Any]]:
    """Answers to ``/version`` through the proxy."""
    return [lab.http("/version").json for _ in range(count)]


def answers_of_all(lab: Lab) -> list[dict[str, Any]]:
    """Answers to ``/version`` through the proxy, among which each web node has to be; if one is
    not, the failure says who is in the pool, and why HAProxy gives it nothing."""
    asked = answers(lab)
    answered = {answer["node"] for answer in asked}
    if answered != lab.web:
        states = lab.exec("fe", "python3", "-c", _SERVERS, str(Layout().haproxy)).stdout
        (run,) = lab.runner("wb_release.history", "limit=1")
        pytest.fail(f"only {answered} answer; the last run: {run}\nHAProxy: {states}")
    return asked


def tree(lab: Lab, node: str) -> str:
    """Every file and link of a node that a release could touch."""
    return lab.exec(node, "sh", "-c", _TREE).stdout


def links(lab: Lab, node: str) -> dict[str, str]:
    """The live links of a node: path → target."""
    told = lab.exec(
        node,
        "find", "/usr/local/wormbase", "/usr/local/mysql/data",
        "-maxdepth", "2", "-type", "l", "-printf", "%p %l\\n",
    )  # fmt: skip
    return dict(line.split(" ", 1) for line in told.stdout.splitlines())


def letters(lab: Lab, build: str) -> int:
    """How many letters about a build are in the mailbox."""
    told = lab.exec("wb-dev", "grep", "-rlE", f"^Subject:.*{build}", "/var/mail/everybody/new")
    return len(told.stdout.split())


def whole(answer: dict[str, Any]) -> bool:
    """Whether the AceDB and the rebuilt MySQL database of an answer are of its release."""
    build = answer["release"].split("-")[0]
    return bool(answer["acedb"] == build and answer["mysql"]["c_elegans"] == build)


def wait_for(lab: Lab, build: str, seconds: float = 240) -> dict[str, str]:
    """The run that made a build live, once it has ended well."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for run in lab.runner("wb_release.history", "limit=3"):
            if run["release"].startswith(f"{build}-") and run["outcome"] == "done":
                return dict(run)
        time.sleep(3)
    pytest.fail(f"{build} did not go live by itself")


def eventually(what: str, question: Callable[[], Any], seconds: float = SOON) -> Any:
    """The answer to a question as soon as it is true."""
    until = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(2)
    return answer


def set_pillar(lab: Lab, section: str, **settings: object) -> dict[str, Any]:
    """Give a section of the site's own pillar these settings; None takes one away.

    Returns what they were.
    """
    words = ("salt", "python3", "-c", _SET, _SITE, section, json.dumps(settings))
    done = lab.exec(*words)
    assert done.returncode == 0, done.stderr
    was: dict[str, Any] = json.loads(done.stdout)
    return was


def refresh_pillar(lab: Lab) -> None:
    """Every minion has the pillar as it is now."""
    words = ("salt", "--timeout=30", "--out=json", "--static", "*", "saltutil.refresh_pillar",
             "wait=True", "timeout=20")  # fmt: skip

    def refreshed() -> bool:
        # The first answer after a restart of the master may be lost, and tells False then.
        return set(json.loads(lab.exec("salt", *words).stdout).values()) == {True}

    eventually("every minion has the new pillar", refreshed)


@contextmanager
def pillar(lab: Lab, section: str, **settings: object) -> Iterator[None]:
    """A section of the site's own pillar has other settings."""
    was = set_pillar(lab, section, **settings)
    try:
        yield
    finally:
        set_pillar(lab, section, **was)


def commit(lab: Lab, change: str) -> None:
    """Change the webapp in staging and commit it."""
    command = f"cd {STAGING} && {change} && hg commit -m change -u test"
    done = lab.exec("wb-dev", "sh", "-c", command)
    assert done.returncode == 0, done.stderr


def kill(lab: Lab, node: str, service: str, which: str) -> float:
    """Kill the first process of a service (``main``), or ``all``; seconds until it runs again."""
    done = lab.exec(node, "timeout", "30", "sh", "-c", _KILL, "sh", service, which)
    assert done.returncode == 0, f"{service} on {node} is not back: {done.stdout}{done.stderr}"
    return int(done.stdout) / 1000


@dataclass
class Visitors:
    """Clients that ask again and again until they are told to stop, and keep their connections;
    what they were answered."""

    lab: Lab
    clients: int = 8
    seen: Counter[str] = field(default_factory=Counter)
    mixed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    closed: list[float] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._proxy = self.lab.address("fe")
        # When each release was seen first.
        self._first: dict[str, float] = {}
        self._threads = [
            threading.Thread(target=self._ask, args=(number,)) for number in range(self.clients)
        ]

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def window(self) -> float:
        """Seconds from the first to the last answer of the maintenance page."""
        return max(self.closed) - min(self.closed) if self.closed else 0.0

    def _ask(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._proxy, timeout=20)
        while not self._stop.is_set():
            path = self.path(number)
            began = time.monotonic()
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                self._answered(path, began, answer, answer.read().decode())
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                self.failed.append(f"{path}: {error!r}")
            time.sleep(PAUSE_SECONDS)

    def path(self, number: int) -> str:
        """What a client asks for."""
        return "/version" if number % 4 else GENE

    def release(self, path: str, body: str) -> str:
        """The release that a page is of; empty if it does not say."""
        if path == GENE:
            return ""
        answer = json.loads(body)
        if not whole(answer):
            self.mixed.append(body)
        return str(answer["release"])

    def _good(self, path: str, began: float, body: str) -> None:
        release = self.release(path, body)
        if not release:
            return
        first = self._first.setdefault(release, time.monotonic())
        # Once anybody has had an answer of the next release, none begun later is of this one.
        if any(first < when < began for when in list(self._first.values())):
            self.late.append(body)
        self.seen[release] += 1

    def _answered(
        self, path: str, began: float, answer: http.client.HTTPResponse, body: str
    ) -> None:
        if answer.status == 200:
            self._good(path, began, body)
        elif answer.status == 503 and answer.getheader("Retry-After"):
            self.closed.append(time.monotonic())
        else:
            self.failed.append(f"{answer.status} {body[:200]!r}")


class Partner:
    """A client that reads the production link in the download tree, by FTP, and the site, in
    turn: ``apart`` is for how many seconds they disagreed at most."""

    def __init__(self, lab: Lab) -> None:
        self.apart, self.asked = 0.0, 0
        self._site, self._stop = f"http://{lab.address('fe')}/version", threading.Event()
        self._ftp = ftplib.FTP(lab.address("wb-dev"), timeout=20)
        self._ftp.login()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Partner:
        self._thread.start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._stop.set()
        self._thread.join()
        self._ftp.close()

    def _ask(self) -> None:
        try:
            self._compare()
        except ftplib.all_errors:
            self.apart = math.inf
            raise

    def _compare(self) -> None:
        agreed = time.monotonic()
        while not self._stop.is_set():
            linked, served = self._linked(), self._served()
            if served and linked != served:
                self.apart = max(self.apart, time.monotonic() - agreed)
            else:
                agreed = time.monotonic()
            self.asked += 1
            time.sleep(0.02)

    def _linked(self) -> str:
        """The build that the link leads to."""
        lines: list[str] = []
        self._ftp.retrlines("LIST pub/wormbase/releases", lines.append)
        return next((line.split(_LINKED)[1] for line in lines if _LINKED in line), "")

    def _served(self) -> str:
        """The build that the site serves; empty behind the maintenance page."""
        try:
            with urllib.request.urlopen(self._site, timeout=20) as answer:
                return str(json.load(answer)["release"]).split("-")[0]
        except urllib.error.HTTPError:
            return ""


class Readers(Visitors):
    """Visitors of the front page, which any webapp has; it names the release in its HTML."""

    def path(self, number: int) -> str:
        return "/"

    def release(self, path: str, body: str) -> str:
        found = re.search(r"WS[0-9]+-[0-9.]+-[0-9.]+-[0-9]+", body)
        if not found:
            self.failed.append(f"no release in {body[:200]!r}")
        return found[0] if found else ""
