"""Every SLS of salt/states renders for every role, and no file of it is an orphan."""

import json
import re
from pathlib import Path

import pytest
import salt.loader

CHECKOUT = Path(__file__).resolve().parents[2]
STATES = CHECKOUT / "salt/states"
WEB = ["acedb", "mysql", "support", "web"]
ROLES = {
    "wb-dev": ["staging"],
    "fe": ["proxy"],
    "wb-web1": WEB,
    "wb-mining": [*WEB, "mining"],
    "wb-gb1": ["mysql"],
    "salt": [],
}
RELEASE = "WS221-2010.12.24-0.02-1350"
LIVE = {
    "release": RELEASE,
    "build": "WS221",
    "webapp": RELEASE,
    "manifests": {"WS221": "5" * 64, RELEASE: "6" * 64},
    "datasets": ["mysql/c_elegans_WS221", f"webapp/{RELEASE}"],
    "links": {"mysql/c_elegans": "c_elegans_WS221", "production": RELEASE},
    "sources": [{"node": "wb-dev", "address": "10.0.0.11"}],
    "going_live": False,
    "epoch": 12,
    "downloads": {"production": "WS221", "development": "WS222"},
    "web": {"wb-web1": {"production": RELEASE}},
}


@pytest.fixture
def node(tmp_path, make_opts):
    """Salt's execution functions on a node, with or without something live."""

    def node(name, live=LIVE, **settings):
        nodes = {
            other: {"address": f"10.0.0.{i}", "site": "local", "roles": roles}
            for i, (other, roles) in enumerate(ROLES.items())
        }
        carrier = {"private_key": "secret\n", "public_key": "ssh-ed25519 AAAA"}
        pillar = {"nodes": nodes, "carrier": carrier, **({"live": live} if live else {})}
        pillar.update(settings)
        folder = tmp_path / f"pillar-{name}"
        folder.mkdir()
        (folder / "top.sls").write_text("base:\n  '*':\n    - site\n")
        (folder / "site.sls").write_text(json.dumps({"wormbase": pillar}))
        opts = make_opts(name, pillar)
        opts.update(
            fileserver_backend=["roots"],
            file_roots={"base": [str(STATES), str(CHECKOUT / "salt")]},
            pillar_roots={"base": [str(folder)]},
            root_dir="/",
            renderer="jinja|yaml",
        )
        return salt.loader.minion_mods(opts, utils=salt.loader.utils(opts))

    return node


def rendered(functions):
    """The states of a node: id → declaration; fails with what the renderer says."""
    high = functions["state.show_highstate"]()
    assert isinstance(high, dict), high
    return high


def arguments(high):
    """Every argument of every state: (state's module and function, its arguments)."""
    for declaration in high.values():
        for module, parts in declaration.items():
            if isinstance(parts, list) and not module.startswith("__"):
                function = next(part for part in parts if isinstance(part, str))
                pairs = [part for part in parts if isinstance(part, dict)]
                yield f"{module}.{function}", {k: v for pair in pairs for k, v in pair.items()}


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("live", [LIVE, None, {}], ids=["live", "no pillar", "nothing live"])
def test_every_role_renders(node, name, live):
    high = rendered(node(name, live))
    assert any(declaration["__sls__"] == "node.prepared" for declaration in high.values())


def test_nothing_is_made_of_a_missing_live_value(node):
    for live in (None, {}):
        for declaration in rendered(node("wb-web1" if live is None else "fe", live)).values():
            assert declaration["__sls__"] not in ("release.enforced", "proxy.serving")


def test_a_web_node_gets_what_is_live(node):
    found = dict(arguments(rendered(node("wb-web1"))))
    assert found["wb_dataset.present"]["datasets"] == LIVE["datasets"]
    assert found["wb_dataset.present"]["manifests"] == LIVE["manifests"]
    assert found["wb_link.switched"]["links"] == LIVE["links"]
    assert found["wb_link.switched"]["going_live"] is False


def test_one_user_may_run_acedb_and_the_webapp(node):
    theirs = {"user": "webdev", "group": "webdev"}
    found = arguments(rendered(node("wb-web1", acedb=theirs, webapp=theirs)))
    assert next(given for name, given in found if name == "user.present")["name"] == "webdev"


def test_servers_have_the_names_that_the_pillar_gives_them(node):
    functions = node(
        "wb-web1",
        acedb={"server": "/opt/acedb/sgifaceserver", "xinetd": "elegans"},
        mysql={"service": "mysqld", "socket": "/tmp/mysql.sock", "config": "/etc/my.d/w.cnf"},
        webapp={"service": "starman", "port": 8000},
    )
    found = list(arguments(rendered(functions)))
    names = {given.get("name") for _, given in found}
    assert names >= {
        *("/opt/acedb/sgifaceserver", "/etc/xinetd.d/elegans"),
        *("/etc/systemd/system/mysqld.service.d/wormbase.conf", "/etc/my.d/w.cnf"),
        "/etc/systemd/system/starman.service",
    }
    # Where each is reached, by which one is known that no unit has started.
    running = {given["name"]: given for name, given in found if name == "wb_service.running"}
    assert [running[name]["at"] for name in ("mysqld", "xinetd", "starman")] == [
        "/tmp/mysql.sock",
        2005,
        8000,
    ]
    text = functions["slsutil.renderer"]("salt://acedb/xinetd.conf", default_renderer="jinja")
    assert "service elegans\n" in text and "= /opt/acedb/sgifaceserver\n" in text
    unit = "salt://web/wormbase-starman.service"
    assert "mysqld.service" in functions["slsutil.renderer"](unit, default_renderer="jinja")
    assert not {"wormbase-starman", "mariadb"} & names


def test_no_state_restarts_mariadb(node):
    """Other applications may use it, and have no pool: wb_mysql.placed does while it has none."""
    for name in ("wb-web1", "wb-dev"):
        found = [given for _, given in arguments(rendered(node(name)))]
        given = [one for one in found if one.get("name") == "mariadb"]
        assert len(given) == 2 and not any("watch" in one for one in given)
        assert not any({"wb_service": "MariaDB runs"} in one.get("watch_in", []) for one in found)


@pytest.mark.parametrize("name", ROLES)
def test_every_requisite_is_there(node, name):
    high = rendered(node(name))
    states = {(m, i) for i, d in high.items() for m in d if not m.startswith("__")}
    names = {(f.split(".")[0], a.get("name")) for f, a in arguments(high)}
    sls = {("sls", declaration["__sls__"]) for declaration in high.values()}
    for _, given in arguments(high):
        for kind in ("require", "watch", "require_in", "watch_in"):
            for requisite in given.get(kind, []):
                ((module, what),) = requisite.items()
                assert (module, what) in states | names | sls


@pytest.mark.parametrize("name", ROLES)
def test_every_template_renders(node, name):
    functions = node(name)
    for _, given in arguments(rendered(functions)):
        if given.get("template") == "jinja":
            text = functions["slsutil.renderer"](given["source"], default_renderer="jinja")
            assert "{{" not in text and "{%" not in text
    assert "secret" not in json.dumps(functions["wb_settings.read"]())


def test_every_state_function_exists(node, make_opts):
    functions = node("wb-web1")
    opts = {**make_opts("wb-web1", {}), "root_dir": "/"}
    known = salt.loader.states(opts, functions, {}, None)
    for name in ROLES:
        for function, _ in arguments(rendered(node(f"{name}") if name != "wb-web1" else functions)):
            assert function in known


def test_no_file_is_an_orphan(node):
    used, sources = {"top.sls"}, set()
    for name in ROLES:
        high = rendered(node(name))
        used |= {d["__sls__"].replace(".", "/") + ".sls" for d in high.values()}
        sources |= {given["source"] for _, given in arguments(high) if "source" in given}
    used |= {source.removeprefix("salt://") for source in sources}
    files = {
        str(path.relative_to(STATES))
        for path in STATES.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files - used == set()


def test_states_declare_and_nothing_else():
    for path in STATES.rglob("*.sls"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"\{%-? *if|cmd\.(run|script|wait)", text), path
