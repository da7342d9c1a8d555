"""wbcore.settings: a wrong or unknown setting is named, never passed over."""

import re
from dataclasses import fields

import pytest
from cluster import PILLAR, settings
from hypothesis import given
from hypothesis import strategies as st
from wbcore.errors import BadRequest
from wbcore.settings import ROLES, Settings, Tolerance

LOOSE = {"shrink": 100, "grow": 1000, "least": 0}
NODE = {"address": "10.0.0.1", "site": "local", "roles": ["web"]}

DATA = {**NODE, "roles": ["mysql"]}


def test_parse_of_nothing_is_every_default():
    assert Settings.parse({}) == Settings()


def test_parse_keeps_the_order_of_the_nodes():
    assert list(settings().nodes) == list(PILLAR["nodes"])


def test_parse_leaves_out_what_the_external_pillar_adds():
    assert Settings.parse({**PILLAR, "live": {"build": "WS221"}}) == settings()


@pytest.mark.parametrize("address", ["192.0.2.41", "wb-gb1", "wb-gb1.example.org"])
def test_parse_takes_a_node_by_address_and_one_that_is_no_web_node_by_name(address):
    nodes = Settings.parse({"nodes": {"w": {**DATA, "address": address}}}).nodes

    assert nodes["w"].address == address


def test_parse_takes_a_section_in_part():
    parsed = settings(retention={"keep": 3}, golive={"window_seconds": 4})

    assert (parsed.retention.keep, parsed.retention.pinned) == (3, ())
    assert parsed.golive.window_seconds == 4.0
    assert isinstance(parsed.golive.window_seconds, float)


def test_parse_takes_pages_to_check_with_a_text_and_without():
    plain = settings(webapp={"check_paths": ["/", "/gene/x"]}).webapp
    with_text = settings(webapp={"check_paths": {"/": "{build}", "/gene/x": ""}}).webapp

    assert plain.check_paths == {"/": "", "/gene/x": ""}
    assert with_text.check_paths == {"/": "{build}", "/gene/x": ""}


@pytest.mark.parametrize(
    ("pillar", "says"),
    [
        (None, "the setting wormbase is 'None'; it has to be a dictionary"),
        (["nodes"], "the setting wormbase is"),
        ({"nodes": []}, "wormbase:nodes is '[]'; it has to be a dictionary"),
        ({"nodes": {"wb-web1": None}}, "wormbase:nodes:wb-web1 is 'None'"),
        (
            {"nginx": {"file": "wormbase.conf"}},
            "nginx:file is 'wormbase.conf'; it has to be a full",
        ),
        ({"nginx": {"certificate": "/a"}}, "it has to be both certificate and key, or neither"),
        ({"nginx": {"names": ["a;b"]}}, "wormbase:nginx:names is 'a;b'"),
        ({"nginx": {"lines": ["a;\nb;"]}}, "it has to be a list of lines"),
        ({"webapp": {"untracked": ["../conf"]}}, "wormbase:webapp:untracked is '../conf'; it has"),
        ({"webapp": {"untracked": ["/etc"]}}, "it has to be a list of paths below website/staging"),
        ({"webapp": {"psgi": []}}, "wormbase:webapp:psgi is '[]'; it has to be a list of at least"),
        ({"webapp": {"psgi": ["../a.psgi"]}}, "webapp:psgi is '../a.psgi'; it has to be a path in"),
        ({"webapp": {"start_script": "/bin/true"}}, "webapp:start_script is '/bin/true'"),
        ({"webapp": {"start_script": "bin/a b"}}, "webapp:start_script is 'bin/a b'"),
        ({"webapp": {"preflight_conf": "../etc/x"}}, "webapp:preflight_conf is '../etc/x'"),
        ({"webapp": {"pid_file": "a.pid"}}, "webapp:pid_file is 'a.pid'; it has to be a full path"),
        ({"webapp": {"environment": {"A-B": "1"}}}, "webapp:environment is 'A-B'; it has to be"),
        ({"webapp": {"environment": {"A": "1\n2"}}}, "it has to be text of one line"),
        (
            {"webapp": {"environment": {"A": 1}}},
            "environment:A is '1'; it has to be of type",
        ),
        ({"webapp": {"tag": "yes"}}, "wormbase:webapp:tag is 'yes'; it has to be of type bool"),
        ({"webapp": {"check_paths": ["gene"]}}, "wormbase:webapp:check_paths is 'gene'; it has"),
        ({"webapp": {"check_paths": {"/": 1}}}, "webapp:check_paths:/ is '1'; it has to be of"),
        ({"webapp": {"version_path": "v"}}, "version_path is 'v'; it has to be empty, or a path"),
        ({"nodes": {7: NODE}}, "it has to be a mapping of minion ids"),
        ({"nodes": {"../web": NODE}}, "it has to be a mapping of minion ids"),
        ({"nodes": {"web\n": NODE}}, "it has to be a mapping of minion ids"),
        ({"nodes": {"w": {"address": "a", "site": "s"}}}, "lacks wormbase:nodes:w:roles"),
        ({"nodes": {"w": {**NODE, "role": "web"}}}, "unknown setting wormbase:nodes:w:role"),
        ({"nodes": {"w": {**NODE, "roles": "web"}}}, "w:roles is 'web'; it has to be a list"),
        ({"nodes": {"w": {**NODE, "roles": ["wbe"]}}}, "wormbase:nodes:w:roles is 'wbe'"),
        ({"nodes": {"w": {**NODE, "address": 10}}}, "w:address is '10'; it has to be of type str"),
        ({"nodes": {"w": {**NODE, "address": "2001:db8::1"}}}, "w:address is '2001:db8::1'"),
        ({"nodes": {"w": {**NODE, "address": "[::1]"}}}, "it has to be an IPv4 address, such as"),
        ({"nodes": {"w": {**NODE, "address": "wb-web1"}}}, "w:address is 'wb-web1'; it has to be"),
        ({"nodes": {"w": {**NODE, "address": "10.0.0.1;"}}}, "w:address is '10.0.0.1;'"),
        ({"nodes": {"w": {**DATA, "address": "::1"}}}, "an IPv4 address or a host name"),
        ({"nodes": {"w": {**DATA, "address": "10.0.0.256"}}}, "w:address is '10.0.0.256'"),
        ({"nodes": {"w": {**DATA, "address": "-oX"}}}, "w:address is '-oX'"),
        ({"nodes": {"w": {**DATA, "address": ""}}}, "w:address is ''"),
        ({"retension": {}}, "unknown setting wormbase:retension; remove or rename it"),
        ({"retention": {"kepe": 1}}, "unknown setting wormbase:retention:kepe"),
        ({"retention": None}, "wormbase:retention is 'None'; it has to be a dictionary"),
        ({"retention": {"keep": "1"}}, "wormbase:retention:keep is '1'; it has to be of type int"),
        ({"retention": {"keep": True}}, "wormbase:retention:keep is 'True'"),
        ({"retention": {"pinned": [221]}}, "wormbase:retention:pinned is '[221]'"),
        ({"retention": {"pinned": ["WS220", "221"]}}, "wormbase:retention:pinned is '221'"),
        ({"retention": {"keep": -1}}, "wormbase:retention:keep is '-1'; it has to be 0 or more"),
        ({"retention": {"pinned_every": -10}}, "wormbase:retention:pinned_every is '-10'"),
        ({"retention": {"free_percent": 100}}, "free_percent is '100'; it has to be 0 to 90"),
        ({"metrics": {"textfile": "wormbase.prom"}}, "textfile is 'wormbase.prom'; it has to be a"),
        ({"metrics": {"textfile": "/var/lib/wormbase"}}, "it has to be a full path that ends in"),
        ({"golive": {"window_seconds": "5"}}, "it has to be of type float"),
        ({7: {}}, "unknown setting wormbase:7"),
        ({"enforce": {"minutes": -1}}, "enforce:minutes is '-1'; it has to be from 0 to 1440"),
        ({"enforce": {"deep_hour": 24}}, "enforce:deep_hour is '24'; it has to be from 0 to 23"),
        (
            {"golive": {"way": "seamles"}},
            "golive:way is 'seamles'; it has to be one of seamless",
        ),
        ({"contents": {"rows": {"shrink": 1}}}, "the pillar lacks wormbase:contents:rows:grow"),
        ({"contents": {"rows": 5}}, "wormbase:contents:rows is '5'; it has to be a dictionary"),
        ({"contents": {"rows": {**LOOSE, "least": -1}}}, "wormbase:contents:rows is"),
        ({"contents": {"exceptions": ["rows/*"]}}, "contents:exceptions is"),
        ({"contents": {"exceptions": {"x": {"shrink": 1}}}}, "contents:exceptions:x:grow"),
        ({"contents": {"exceptions": {"x": {**LOOSE, "grow": "1"}}}}, "exceptions:x:grow is '1'"),
        ({"downloads": {"production": {"/a": "{build}"}}}, "downloads:production is '/a'; it has"),
        ({"downloads": {"production": {"../a": "{build}"}}}, "downloads:production is '../a'"),
        ({"downloads": {"production": {"a/*": "{build}"}}}, "downloads:production is 'a/*'"),
        ({"downloads": {"production": {"**/a": "{build}"}}}, "downloads:production is '**/a'"),
        ({"downloads": {"production": {"[a]/b": "{build}"}}}, "downloads:production is '[a]/b'"),
        ({"downloads": {"development": {"a/b": "WS220"}}}, "development:a/b is 'WS220'; it has"),
        ({"downloads": {"development": {"a/b": "/{build}"}}}, "development:a/b is '/{build}'"),
        ({"downloads": {"production": {"a/b": "../../{build}"}}}, "a/b is '../../{build}'"),
        ({"downloads": {"production": {"a": "{build}/../../b"}}}, "a is '{build}/../../b'"),
        ({"downloads": {"production": {"a": "{bild}"}}}, "downloads:production:a is '{bild}'"),
        (
            {"downloads": {"production": {"a": "{build}"}, "development": {"a": "{build}"}}},
            "wormbase:downloads is 'a'; it has to be given once, under production",
        ),
        ({"landing": {"start": "relase"}}, "landing:start is 'relase'; it has to be one of relea"),
        ({"landing": {"hours": "9-5"}}, "wormbase:landing:hours is '9-5'; it has to be empty, or"),
        ({"landing": {"minor": "yes"}}, "wormbase:landing:minor is 'yes'"),
        ({"landing": {"notify": []}}, "wormbase:landing:notify is '[]'; it has to be a dict"),
        ({"landing": {"notify": {"mail": ["a@b\nBcc: x@y"]}}}, "wormbase:landing:notify:mail is"),
        ({"landing": {"notify": {"webhook": "file:///etc"}}}, "wormbase:landing:notify:webhook"),
        ({"landing": {"notify": {"board": "salt"}}}, "wormbase:landing:notify:board is 'salt'"),
    ],
)
def test_parse_names_the_setting_that_is_wrong(pillar, says):
    with pytest.raises(BadRequest, match=re.escape(says)):
        Settings.parse(pillar)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("acedb", "server", "saceserver"),
        ("acedb", "server", "/usr/local/bin/sace server"),
        ("acedb", "tace", "/usr/local/bin/tace\n"),
        ("acedb", "xinetd", "../elegans"),
        ("acedb", "xinetd", "elegans.conf"),
        ("mysql", "service", "mariadb.service"),
        ("mysql", "socket", "run/mysqld/mysqld.sock"),
        ("mysql", "config", "/etc/mysql/mariadb.conf.d/wormbase"),
        ("webapp", "service", "-starman"),
    ],
)
def test_parse_refuses_a_server_s_name_that_is_none(section, name, value):
    with pytest.raises(BadRequest, match=f"wormbase:{section}:{name} is "):
        Settings.parse({section: {name: value}})


def test_parse_takes_servers_where_a_site_has_them():
    acedb = {"server": "/usr/local/wormbase/acedb/bin/sgifaceserver", "xinetd": "elegans"}
    parsed = Settings.parse({"acedb": acedb, "webapp": {"service": "starman@wormbase"}})
    assert (parsed.acedb.server, parsed.webapp.service) == (acedb["server"], "starman@wormbase")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["nodes", *(f.name for f in fields(Settings)), "roles", "x"]),
                inner,
                max_size=3,
            )
        ),
        max_leaves=8,
    )
)
def test_parse_ends_in_settings_or_in_a_bad_request(pillar):
    try:
        parsed = Settings.parse(pillar)
    except BadRequest as error:
        assert "wormbase" in error.what
    else:
        assert isinstance(parsed, Settings)


def test_parse_takes_exceptions_by_their_patterns():
    parsed = settings(contents={"exceptions": {"rows/clustal/*": LOOSE}}).contents

    assert parsed.exceptions == {"rows/clustal/*": Tolerance(100, 1000, 0)}
    assert parsed.rows == Settings().contents.rows


def test_parse_takes_links_of_the_download_tree():
    links = {
        "current": "releases/{build}",
        "species/*/current-production-release": "{build}",
        "species/*/gff/*/current": "../../../../releases/{build}/c.{build}.gff3",
    }

    assert settings(downloads={"production": links}).downloads.production == links


def test_having_is_told_by_role():
    parsed = settings()

    assert parsed.having("web") == ["wb-web1", "wb-web2", "wb-mining", "canopus"]
    assert parsed.having("mining") == ["wb-mining"]
    assert {role for node in parsed.nodes.values() for role in node.roles} == set(ROLES)


def test_staging_and_proxy_are_the_only_ones():
    assert (settings().staging, settings().proxy) == ("wb-dev", "fe")


@pytest.mark.parametrize("count", [0, 2])
def test_staging_that_is_not_one_is_refused(count):
    nodes = {f"dev{n}": {**NODE, "roles": ["staging"]} for n in range(count)}

    with pytest.raises(BadRequest, match=f"{count} nodes have the role 'staging'"):
        _ = Settings.parse({"nodes": nodes}).staging


def test_serving_is_neither_the_staging_host_nor_the_proxy():
    assert settings().serving == ["wb-web1", "wb-web2", "wb-mining", "wb-gb1", "canopus"]
