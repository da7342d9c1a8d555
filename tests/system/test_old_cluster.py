"""A cluster as the old scripts left it, before the project comes to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from labclient import Lab
from site_of import Visitors
from wbcore.layout import Layout

from lab import project
from lab.cluster import Cluster
from lab.place import Place

NODES = ("salt", "wb-dev", "fe", "wb-web1", "wb-web2", "wb-mining", "wb-gb1", "canopus")
WEB = {"wb-web1", "wb-web2", "wb-mining", "canopus"}
RELEASE = "WS220-2010.12.21-0.02-4"
WIKI = "wiki.wormbase.org"
TITLE = "New release of WormBase WS220"
DATABASES = "/usr/local/wormbase/databases/WS220"
TABLES = "/usr/local/mysql/data/c_elegans_WS220"
FLIP = "import sys; file = open(sys.argv[1], 'r+b'); file.seek(1000); " \
       "byte = file.read(1)[0]; file.seek(1000); file.write(bytes([byte ^ 1]))"  # fmt: skip
# What the project puts on nodes: its directories, units, settings, marks and modules.
OURS = (
    *(str(path) for path in (Layout().state, Layout().programs, Layout().kind("mysql") / ".*")),
    *("/srv/wormbase-*", "/etc/salt/*/wormbase*", "/etc/systemd/*/wormbase*", "/etc/*wormbase.cnf"),
    *("/usr/local/wormbase/*/.incoming", "/usr/local/wormbase/builds/*/READY", "*/extmods/*/wb*"),
)


def test_old_cluster_has_nothing_of_the_project_and_is_taken_over_while_it_serves(
    other: Lab, machine: Callable[[], dict[str, list[str]]]
) -> None:
    before = machine()
    other.do("up", "--old", "--wan", "100", "--scale", "0.25")
    serves_ws220(other)
    other_applications_answer(other)
    assert ours(other) == {}

    other.do("crash", "wb-web1")
    other.do("start", "wb-web1")
    serves_ws220(other)
    other_applications_answer(other)

    with Visitors(other) as visitors:
        install(other)
        is_taken_over_with_its_faults_repaired(other)
    assert (visitors.failed, visitors.closed, visitors.mixed) == ([], [], [])
    assert set(visitors.seen) == {RELEASE}
    serves_ws220(other)
    other_applications_answer(other)

    other.do("down")
    assert machine() == before


def install(lab: Lab) -> None:
    """Steps 1 to 3 of docs/install.md."""
    project.copy(Cluster(Place(lab.checkout)))
    done = lab.exec("salt", f"{project.HOME}/bin/install")
    assert done.returncode == 0, done.stdout + done.stderr


def is_taken_over_with_its_faults_repaired(lab: Lab) -> None:
    """A byte of a table on canopus is wrong, and a file is missing on wb-web2."""
    table = lab.exec("canopus", "sh", "-c", f"ls -S {TABLES}/*.MYD | head -1").stdout.strip()
    file = lab.exec("wb-web2", "sh", "-c", f"find {DATABASES} -type f | sort | tail -1")
    missing = file.stdout.strip()
    lab.exec("canopus", "python3", "-c", FLIP, table)
    lab.exec("wb-web2", "rm", missing)
    spoilt, processes = contents(lab, "canopus", table), serving(lab)

    refused = lab.orch("adopt")
    assert refused.returncode == 81
    for node, name in (("canopus", table), ("wb-web2", missing)):
        assert re.search(rf"{node}: .* differs in \S*{Path(name).name}", refused.stdout)
    assert contents(lab, "canopus", table) == spoilt
    assert lab.exec("wb-web2", "test", "-e", missing).returncode == 1

    repaired = lab.orch("adopt", {"repair": True})
    assert repaired.returncode == 0, repaired.stdout
    for node, name in (("canopus", table), ("wb-web2", missing)):
        assert contents(lab, node, name) == contents(lab, "wb-dev", name)
    assert serving(lab) == processes
    assert f"{RELEASE} is adopted already; nothing to do" in lab.orch("adopt").stdout


def contents(lab: Lab, node: str, path: str) -> str:
    return lab.exec(node, "sha256sum", path).stdout


def serving(lab: Lab) -> dict[str, str]:
    """The first processes of what serves on each web node and on the proxy."""
    names = "'^/usr/sbin/mariadbd' '^starman master' '^nginx: master'"
    look = f'for name in {names}; do pgrep -of "$name"; done'
    return {node: lab.exec(node, "sh", "-c", look).stdout for node in (*sorted(WEB), "fe")}


def serves_ws220(lab: Lab) -> None:
    """Every web node in its turn, through the proxy; and it was announced, once."""
    pages = [lab.http("/version") for _ in range(2 * len(WEB))]
    assert {page.status for page in pages} == {200}
    told = [page.json for page in pages]
    assert {page["node"] for page in told} == WEB
    assert {page["release"] for page in told} == {RELEASE}
    assert {build for page in told for build in (page["acedb"], *page["mysql"].values())} == {
        "WS220"
    }
    assert all(len(page["mysql"]) == 14 for page in told)
    assert "daf-2" in lab.http("/gene/WBGene00000898").body

    count = f"grep -rl 'Subject: {TITLE}' /var/mail/everybody | wc -l"
    assert lab.exec("wb-dev", "sh", "-c", count).stdout == "1\n"
    posts = lab.http("/index.php?rest_route=/wp/v2/posts", node="wb-dev", port=8080).json
    assert [post["title"]["rendered"] for post in posts] == [TITLE]


def other_applications_answer(lab: Lab) -> None:
    """The wiki under TLS on the proxy, and over the network the curators' InnoDB on wb-web1."""
    trusted = ("--cacert", "/etc/nginx/wiki.crt", "--resolve", f"{WIKI}:443:{lab.address('fe')}")
    page = lab.exec("fe", "curl", "-sS", *trusted, f"https://{WIKI}/")
    assert "The WormBase wiki" in page.stdout

    ask = ("mariadb", "--defaults-file=/etc/curation.cnf", "--skip-column-names", "-e")
    engine = "SELECT engine FROM information_schema.tables WHERE table_schema = 'curation'"
    assert lab.exec("wb-dev", *ask, engine).stdout == "InnoDB\n"
    write = "INSERT INTO curation.paper (title) VALUES ('another'); SELECT LAST_INSERT_ID() > 1"
    assert lab.exec("wb-dev", *ask, write).stdout == "1\n"


def ours(lab: Lab) -> dict[str, str]:
    """What is there of the project, by node."""
    wanted = " -o ".join(f"-path '{pattern}'" for pattern in OURS)
    look = f"find /etc /srv /usr/local /var/lib /var/cache/salt {wanted}; " \
           "getent passwd wormbase wormbase-report wbcarrier"  # fmt: skip
    found = {node: lab.exec(node, "sh", "-c", look).stdout for node in NODES}
    return {node: paths for node, paths in found.items() if paths}
