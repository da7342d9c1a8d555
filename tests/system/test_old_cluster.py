"""A cluster as the old scripts left it, before the project comes to it."""

from __future__ import annotations

from collections.abc import Callable

from labclient import Lab
from wbcore.layout import Layout

NODES = ("salt", "wb-dev", "fe", "wb-web1", "wb-web2", "wb-mining", "wb-gb1", "canopus")
WEB = {"wb-web1", "wb-web2", "wb-mining", "canopus"}
RELEASE = "WS220-2010.12.21-0.02-4"
WIKI = "wiki.wormbase.org"
TITLE = "New release of WormBase WS220"
# What the project puts on nodes: its directories, units, settings, marks and modules.
OURS = (
    *(str(path) for path in (Layout().state, Layout().programs, Layout().kind("mysql") / ".*")),
    *("/srv/wormbase-*", "/etc/salt/*/wormbase*", "/etc/systemd/*/wormbase*", "/etc/*wormbase.cnf"),
    *("/usr/local/wormbase/*/.incoming", "/usr/local/wormbase/builds/*/READY", "*/extmods/*/wb*"),
)


def test_old_cluster_serves_and_has_nothing_of_the_project(
    other: Lab, machine: Callable[[], dict[str, list[str]]]
) -> None:
    before = machine()
    other.do("up", "--old", "--wan", "100")
    serves_ws220(other)
    other_applications_answer(other)
    assert ours(other) == {}

    other.do("crash", "wb-web1")
    other.do("start", "wb-web1")
    serves_ws220(other)
    other_applications_answer(other)

    other.do("down")
    assert machine() == before


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
