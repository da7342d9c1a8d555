"""pillar.example is the documentation, the defaults and the schema: equal to wbcore.settings;
and pillar/top.sls gives each node what its roles have a use for."""

import json
import re
from dataclasses import asdict, fields
from pathlib import Path

import pytest
import salt.config
import salt.loader
import salt.pillar
import salt.template
import yaml
from wbcore.settings import ROLES, Settings

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLE = [CHECKOUT / "pillar.example" / f"{name}.sls" for name in ("site", "carrier", "announce")]
# docs/field.md, "Hosts and roles".
WEB = {"acedb", "mysql", "support", "web"}
FIELD = {
    "wb-dev": ("local", {"staging"}),
    "fe": ("local", {"proxy"}),
    **{f"wb-web{number}": ("local", WEB) for number in (1, 2, 3, 4)},
    "wb-mining": ("local", WEB | {"mining"}),
    "wb-gb1": ("local", {"mysql"}),
    "wb-gb2": ("local", {"mysql"}),
    "canopus": ("remote", WEB),
}


@pytest.fixture(scope="module")
def pillar():
    """The example as Salt itself renders a pillar file."""
    opts = salt.config.DEFAULT_MINION_OPTS.copy()
    render = salt.loader.render(opts, {})
    whole = {}
    for file in EXAMPLE:
        data = salt.template.compile_template(str(file), render, "jinja|yaml", [], [])
        assert set(data) == {"wormbase"}
        assert not whole.keys() & data["wormbase"].keys()
        whole.update(data["wormbase"])
    return whole


def pillar_of(node, tmp_path, *files):
    """The pillar that a node gets of these files of the example."""
    for file in files:
        (tmp_path / file.name).write_text(file.read_text())
    opts = {
        **salt.config.DEFAULT_MASTER_OPTS,
        "cachedir": str(tmp_path / "cache"),
        "pillar_roots": {"base": [str(tmp_path), str(CHECKOUT / "pillar")]},
        "file_client": "local",
        "__role": "minion",
    }
    return salt.pillar.Pillar(opts, {}, node, "base").compile_pillar()


@pytest.mark.parametrize("section", [entry.name for entry in fields(Settings)])
def test_every_section_has_every_setting_with_its_default(pillar, section):
    if section == "nodes":
        return
    defaults = json.loads(json.dumps(asdict(Settings())[section]))
    plain = json.loads(json.dumps(pillar[section]))

    assert plain == defaults
    assert {key: type(value) for key, value in plain.items()} == {
        key: type(value) for key, value in defaults.items()
    }


def test_there_is_nothing_else_in_it(pillar):
    assert set(pillar) == {entry.name for entry in fields(Settings)}


def test_it_is_a_pillar_that_can_be_used_as_it_is(pillar):
    settings = Settings.parse(pillar)

    assert (settings.staging, settings.proxy) == ("wb-dev", "fe")
    assert len(settings.serving) == 8


def test_its_nodes_are_those_of_field(pillar):
    nodes = Settings.parse(pillar).nodes

    assert {name: (node.site, set(node.roles)) for name, node in nodes.items()} == FIELD
    assert len({node.address for node in nodes.values()}) == len(nodes)


def test_every_role_is_explained():
    text = EXAMPLE[0].read_text()

    for role in ROLES:
        assert re.search(rf"^ *#.*\b{role}\b", text, re.MULTILINE), role


def test_every_section_is_explained():
    lines = [line for file in EXAMPLE for line in file.read_text().splitlines()]
    sections = [number for number, line in enumerate(lines) if re.fullmatch(r"  [a-z]+:", line)]

    assert len(sections) == len(fields(Settings))
    for number in sections:
        assert lines[number - 1].startswith("  # "), lines[number]


def test_it_is_plain_yaml_without_a_key_twice():
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(set(keys)) == len(keys), keys
        return dict(
            (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
            for key, value in node.value
        )

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    for file in EXAMPLE:
        assert yaml.load(file.read_text(), Strict)


@pytest.mark.parametrize(
    ("node", "secret"),
    [
        ("wb-dev", {"carrier", "mail", "blog"}),
        ("wb-gb1", {"carrier"}),
        ("canopus", {"carrier"}),
        ("fe", set()),
        ("salt", set()),
    ],
)
def test_a_node_gets_no_secret_that_it_has_no_use_for(tmp_path, node, secret):
    given = pillar_of(node, tmp_path, *EXAMPLE)

    assert "_errors" not in given
    assert given["wormbase"].keys() & {"carrier", "mail", "blog"} == secret
    assert "nodes" in given["wormbase"]


def test_a_site_may_keep_everything_in_one_file(tmp_path):
    given = pillar_of("wb-dev", tmp_path, EXAMPLE[0])

    assert "_errors" not in given
    assert "nodes" in given["wormbase"]
