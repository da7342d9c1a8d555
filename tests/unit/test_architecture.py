"""The layers, the places of things, and the size of functions: cheap tests that find most."""

import ast
import dataclasses
import functools
import graphlib
import importlib
import logging
import re
from pathlib import Path

import pytest
import salt.config
import salt.loader
from wbcore import events
from wbcore.datasets import KINDS
from wbcore.layout import Layout
from wbcore.settings import Settings
from wbmaster.steps import STEPS

CHECKOUT = Path(__file__).resolve().parents[2]
SALT = CHECKOUT / "salt"
BOARD = CHECKOUT / "board"
UTILS = SALT / "_utils"
CORE = UTILS / "wbcore"
MASTER = UTILS / "wbmaster"
# Package → its folders from the top down: each imports from those below it alone, and none from
# one beside it. "" stands for the files that lie in the package itself.
LAYERS = {
    "wbcore": [
        {"planning", "announce"},
        {"disk", "transport"},
        {"model", "build"},
        {"golive", "enforcement"},
        {""},
    ],
    "wbmaster": [
        {"commands", "unattended"},
        {"lifecycle"},
        {"steps"},
        {"golive"},
        {"reporting"},
        {""},
        {"nodes"},
    ],
    "wbnode": [{"transport", "webapp"}, {"build", "serving"}, {""}],
}
# Folder of Salt's loader → how it is loaded.
LOADED = ("_modules", "_states", "_runners", "_pillar", "_beacons", "_output")
LONGEST = 40
# What only ever is a path of a node; `wbcore.layout` is where they are said.
PATHS = re.compile(r"/usr/local/(wormbase|mysql|ftp|lib/)|/var/lib/wormbase|/etc/wormbase")


def sources(*folders: Path) -> list[Path]:
    """Every Python file of the project below these folders."""
    return sorted(file for folder in folders for file in folder.rglob("*.py"))


@functools.cache
def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


@functools.cache
def tree(file: Path) -> ast.Module:
    return ast.parse(text_of(file))


def name_of(file: Path) -> str:
    return str(file.relative_to(CHECKOUT))


def imports(file: Path) -> set[str]:
    """The modules that a file imports, by their full names."""
    found: set[str] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _of_module(path: Path) -> Path | None:
    """The file of a module, a path without suffix."""
    found = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in found if file.is_file()), None)


@functools.cache
def imported(file: Path) -> frozenset[Path]:
    """The shared files that a file imports; a package counts only for what it has itself."""
    found: set[Path | None] = set()
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            found |= {_of_module(UTILS / alias.name.replace(".", "/")) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = file.parents[node.level - 1] if node.level else UTILS
            module = start / (node.module or "").replace(".", "/")
            found |= {_of_module(module / one.name) or _of_module(module) for one in node.names}
    return frozenset(found - {None, file})


def folder_of(file: Path) -> str:
    """The folder of a shared file within its package, "" for none."""
    return file.relative_to(UTILS).parts[1] if len(file.relative_to(UTILS).parts) > 2 else ""


def circle(arrows: dict[str, set[str]]) -> list[str]:
    """A circle of arrows, or an empty list."""
    try:
        graphlib.TopologicalSorter(arrows).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def attributes(file: Path) -> set[str]:
    """Every ``name.attribute`` that a file uses."""
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def docstrings(file: Path) -> set[ast.Constant]:
    """The constants of a file that are docstrings."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.body[0].value
        for node in ast.walk(tree(file))
        if isinstance(node, owners)
        and node.body
        and isinstance(node.body[0], ast.Expr)
        and isinstance(node.body[0].value, ast.Constant)
    }


def strings(file: Path) -> list[str]:
    """Every string of a file that is no docstring."""
    told = docstrings(file)
    return [
        node.value
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told
    ]


def public_functions(file: Path) -> list[ast.FunctionDef]:
    return [
        node
        for node in tree(file).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]


# Layers


@pytest.mark.parametrize("file", sources(CORE), ids=name_of)
def test_the_core_knows_neither_salt_nor_the_machine(file):
    forbidden = {"salt", "subprocess", "socket", "sqlite3", "wbmaster", "wbnode", "requests"}

    assert not {name.partition(".")[0] for name in imports(file)} & forbidden
    assert not attributes(file) & {"os.environ", "os.system", "os.getenv", "time.time"}
    assert not attributes(file) & {"time.monotonic", "datetime.now", "time.sleep"}
    names = {node.id for node in ast.walk(tree(file)) if isinstance(node, ast.Name)}
    assert not names & {"open", "print", "__salt__", "__opts__", "__pillar__", "__grains__"}


@pytest.mark.parametrize("file", sources(UTILS), ids=name_of)
def test_only_the_master_imports_the_masters_part(file):
    if file.is_relative_to(MASTER):
        return
    assert not {name for name in imports(file) if name.startswith("wbmaster")}


@pytest.mark.parametrize(
    "file", sources(SALT / "_modules", SALT / "_beacons", SALT / "states"), ids=name_of
)
def test_what_runs_on_nodes_knows_nothing_of_the_master(file):
    assert not {name for name in imports(file) if name.startswith("wbmaster")}


@pytest.mark.parametrize("file", sources(MASTER), ids=name_of)
def test_the_masters_part_knows_nothing_of_the_nodes(file):
    assert not {
        name for name in imports(file) if name.startswith("wb") and "wbcore" not in name
    } - {name for name in imports(file) if name.startswith("wbmaster")}


def test_no_file_imports_itself_by_way_of_others():
    arrows = {name_of(file): {name_of(one) for one in imported(file)} for file in sources(UTILS)}

    assert sum(map(len, arrows.values())) > 300
    assert circle(arrows) == []


@pytest.mark.parametrize("package", LAYERS)
def test_no_folder_imports_itself_by_way_of_others(package):
    """A file that lies in the package itself stands for itself."""
    arrows: dict[str, set[str]] = {}
    for file in sources(UTILS / package):
        others = {folder_of(one) or one.name for one in imported(file) if in_package(one, package)}
        arrows.setdefault(folder_of(file) or file.name, set()).update(others)
    without_inner = {name: others - {name} for name, others in arrows.items()}

    assert circle(without_inner) == []


@pytest.mark.parametrize("file", sources(UTILS), ids=name_of)
def test_a_folder_imports_only_from_those_below_it(file):
    package, folder = file.relative_to(UTILS).parts[0], folder_of(file)
    layers = LAYERS[package]
    place = next(number for number, layer in enumerate(layers) if folder in layer)
    below = {folder}.union(*layers[place + 1 :])

    others = {one for one in imported(file) if in_package(one, package)}
    assert {name_of(one) for one in others if folder_of(one) not in below} == set()


def in_package(file: Path, package: str) -> bool:
    return file.is_relative_to(UTILS / package)


@pytest.mark.parametrize("package", LAYERS)
def test_every_folder_has_its_place_and_says_what_it_is_about(package):
    folders = {file.parent for file in sources(UTILS / package) if folder_of(file)}
    inits = [UTILS / package / "__init__.py", *(folder / "__init__.py" for folder in folders)]

    assert {folder.name for folder in folders} | {""} == set().union(*LAYERS[package])
    for init in inits:
        if init.parent.name != "steps":
            assert [type(node) for node in tree(init).body] == [ast.Expr], name_of(init)


def test_every_step_is_a_file_of_its_name():
    files = {file.stem for file in (MASTER / "steps").glob("*.py")} - {"__init__"}

    assert files == set(STEPS)


def test_nothing_of_the_product_knows_the_lab():
    product = [SALT, BOARD, CHECKOUT / "orch", CHECKOUT / "pillar", CHECKOUT / "etc"]
    files = [file for folder in product for file in folder.rglob("*") if file.is_file()]
    files = [file for file in files if file.suffix not in (".pyc",)]

    assert len(files) > 40
    for file in files:
        assert not re.search(r"\blab\b", text_of(file)), name_of(file)


# Importing and loading


@pytest.mark.parametrize(
    "module",
    [
        ".".join(file.relative_to(UTILS).with_suffix("").parts).removesuffix(".__init__")
        for file in sources(UTILS)
    ],
)
def test_every_shared_module_imports(module):
    assert importlib.import_module(module).__doc__


def loaded(folder: str, tmp_path: Path) -> dict[str, object]:
    """What Salt's own loader publishes of a folder."""
    opts = salt.config.DEFAULT_MASTER_OPTS.copy()
    opts.update(
        root_dir=str(tmp_path),
        cachedir=str(tmp_path / "cache"),
        extension_modules=str(tmp_path / "extmods"),
        id="node",
        grains={},
        optimization_order=[0, 1, 2],
    )
    return dict(
        salt.loader.LazyLoader(
            [str(SALT / folder)], opts, tag=folder.strip("_"), pack={"__salt__": {}}
        )
    )


@pytest.mark.parametrize("folder", LOADED)
def test_the_loader_publishes_exactly_what_the_files_define(folder, tmp_path, caplog):
    with caplog.at_level(logging.ERROR):
        published = set(loaded(folder, tmp_path))
    meant = {
        f"{file.stem}.{function.name.removesuffix('_')}"
        for file in sources(SALT / folder)
        for function in public_functions(file)
    }

    assert published == meant
    assert [record for record in caplog.records if "Failed" in record.getMessage()] == []


@pytest.mark.parametrize("file", sources(*(SALT / folder for folder in LOADED)), ids=name_of)
def test_a_loader_module_is_named_as_salt_calls_it(file):
    text = text_of(file)

    assert re.match(r"wb(_|$)", file.stem)
    assert re.findall(r'^__virtualname__ = "(\w+)"', text, re.MULTILINE) in ([], [file.stem])


# Words


@pytest.mark.parametrize(
    ("file", "function"),
    [
        (file, function)
        for folder in ("_modules", "_runners")
        for file in sources(SALT / folder)
        for function in public_functions(file)
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else value.name,
)
def test_every_command_shows_how_it_is_called(file, function):
    told = ast.get_docstring(function) or ""
    name = function.name.removesuffix("_")

    assert "CLI Example:" in told
    assert re.search(rf"salt(-call|-run)? .*\b{file.stem}\.{name}\b", told)


@pytest.mark.parametrize("file", sources(SALT / "_states", SALT / "_beacons"), ids=name_of)
def test_every_state_and_beacon_shows_how_it_is_declared(file):
    text = text_of(file)

    assert ".. code-block:: yaml" in text
    for function in public_functions(file):
        assert ast.get_docstring(function), function.name


@pytest.mark.parametrize("file", sources(SALT, BOARD), ids=name_of)
def test_every_file_and_public_thing_says_what_it_is(file):
    module = tree(file)
    assert ast.get_docstring(module)
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
    if file.parent.name not in ("steps",):
        for function in public_functions(file):
            assert ast.get_docstring(function), function.name


# Size


@pytest.mark.parametrize(
    "file", sources(SALT, BOARD, CHECKOUT / "lab", CHECKOUT / "tests"), ids=name_of
)
def test_no_function_is_longer_than_a_screen(file):
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.FunctionDef):
            assert length(node) <= LONGEST, f"{node.name} has {length(node)} lines"


def length(function: ast.FunctionDef) -> int:
    """Lines of a function below its docstring; functions in it count for themselves."""
    begins = function.body[0].end_lineno if ast.get_docstring(function) else function.lineno
    inner = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.FunctionDef) and node is not function
    ]
    return function.end_lineno - begins - sum(n.end_lineno - n.lineno + 1 for n in inner)


@pytest.mark.parametrize("file", sources(SALT, BOARD), ids=name_of)
def test_nothing_is_decided_by_assert(file):
    """Python run with -O would leave it out."""
    assert [node.lineno for node in ast.walk(tree(file)) if isinstance(node, ast.Assert)] == []


# One place each


@pytest.mark.parametrize(
    "file",
    [file for file in sources(SALT) if file != CORE / "layout.py"],
    ids=name_of,
)
def test_paths_are_said_in_layout_alone(file):
    assert [text for text in strings(file) if PATHS.search(text)] == []


def test_states_take_paths_from_the_settings():
    for file in (SALT / "states").rglob("*.sls"):
        lines = [line for line in text_of(file).splitlines() if not line.strip().startswith("#")]
        assert [line for line in lines if PATHS.search(line)] == [], name_of(file)


def test_layout_has_no_two_names_for_one_path():
    layout = Layout(Path("/x"))
    paths = [
        getattr(layout, name) for name, value in vars(Layout).items() if isinstance(value, property)
    ]
    others = [layout.kind(kind) for kind in KINDS if kind != "webapp"]

    assert len({*paths, *others}) == len(paths) + len(others)


@pytest.mark.parametrize(
    "file",
    [file for file in sources(SALT) if file != CORE / "events.py"],
    ids=name_of,
)
def test_event_tags_are_said_in_events_alone(file):
    assert [text for text in strings(file) if text.startswith("wormbase/")] == []


def test_the_reactors_listen_to_what_nodes_send():
    config = (CHECKOUT / "etc/master.conf").read_text()
    listened = re.findall(r"^ *- (wormbase/\S+):\n *- salt://(reactor/\S+)$", config, re.MULTILINE)

    tags = [events.BUILD_READY, events.drift_tag("*"), events.joined_tag("*"), events.due_tag("*")]
    assert [tag for tag, _ in listened] == tags
    assert {path for _, path in listened} == {
        str(file.relative_to(SALT)) for file in (SALT / "reactor").glob("*.sls")
    }


@pytest.mark.parametrize("file", sources(SALT), ids=name_of)
def test_nothing_is_given_to_a_shell(file):
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.keyword) and node.arg in ("shell", "python_shell"):
            assert ast.unparse(node.value) == "False", f"line {node.value.lineno}"
    assert not attributes(file) & {"os.system", "os.popen", "subprocess.getoutput"}
    assert not [text for text in strings(file) if text in ("cmd.run", "cmd.shell", "cmd.script")]


@pytest.mark.parametrize(
    "setting",
    [
        f"{section.name}.{entry.name}"
        for section in dataclasses.fields(Settings)
        if section.name != "nodes"
        for entry in dataclasses.fields(section.default_factory)
    ],
)
def test_every_setting_is_read_by_somebody(setting):
    """As ``settings.section.name``, or as ``.name`` of a section that is passed on."""
    section, name = setting.split(".")
    files = [
        text_of(file)
        for file in SALT.rglob("*")
        if file.is_file() and file.suffix != ".pyc" and file != CORE / "settings.py"
    ]

    assert any(
        re.search(rf"\b{section}[.:]{name}\b", text)
        or (re.search(rf"\.{section}\b", text) and re.search(rf"\bsettings\.{name}\b", text))
        for text in files
    )


@pytest.mark.parametrize("file", sources(UTILS), ids=name_of)
def test_no_module_of_ours_is_an_orphan(file):
    """Somebody else than itself and its test imports it."""
    if file.name == "__init__.py" or file.parent.name == "steps":
        return
    assert any(file in imported(other) for other in sources(SALT) if other != file)
