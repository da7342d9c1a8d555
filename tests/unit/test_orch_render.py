"""The orchestrations as Salt's own State compiler takes them: what comes out is what the
files say, in their order."""

from pathlib import Path

import pytest
import salt.config
import salt.state
import yaml
from wbcore.requests import ADOPT, ANNOUNCE, GOLIVE, PURGE, PUSH, RELEASE, ROLLBACK, Request
from wbmaster.steps import STEPS, step

CHECKOUT = Path(__file__).resolve().parents[2]
ORCH = CHECKOUT / "orch"
KINDS = [RELEASE, PUSH, GOLIVE, ROLLBACK, PURGE, ANNOUNCE, ADOPT]
# The wiki page, "Major Releases": its steps in their order.
WIKI = [
    "check_disk_space",
    "push_acedb",
    "push_mysql",
    "push_support",
    "push_webapp",
    "take_out_of_service",
    "go_live",
    "return_to_service",
    "post_blog",
    "send_mail",
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Low states of every orchestration, as `salt-run state.orch` compiles them."""
    root = tmp_path_factory.mktemp("master")
    opts = salt.config.DEFAULT_MINION_OPTS.copy()
    opts.update(
        id="salt_master",
        root_dir=str(root),
        cachedir=str(root / "cache"),
        extension_modules=str(root / "extmods"),
        sock_dir=str(root / "run"),
        file_client="local",
        fileserver_backend=["roots"],
        file_roots={"base": [str(CHECKOUT / "etc/roots")]},
        pillar_roots={"base": []},
        states_dirs=[str(CHECKOUT / "salt/_states")],
        grains={"id": "salt_master"},
    )
    return {kind: _compile(opts, kind) for kind in KINDS}


def _compile(opts, kind):
    with salt.state.HighState(opts) as state:
        high, errors = state.render_highstate({"base": [f"orch.{kind}"]})
        high, more = state.state.reconcile_extend(high)
        errors += more + state.state.verify_high(high)
        high, more = state.state.requisite_in(high)
        low, wrong = state.state.compile_high_data(high)
        assert errors + more + wrong == []
        return low


def listed(kind: str) -> list[str]:
    """What the file of an orchestration includes, in its order."""
    return yaml.safe_load((ORCH / f"{kind}.sls").read_text())["include"]


def steps(chunks) -> list[str]:
    """The steps of an orchestration in the order in which they are taken."""
    return [chunk["step"] for chunk in chunks if chunk["state"] == "wb_step"]


@pytest.mark.parametrize("kind", KINDS)
def test_begin_comes_first_and_end_last(compiled, kind):
    first, *between, last = compiled[kind]

    assert (first["state"], first["fun"], first["kind"]) == ("wb_run", "begun", kind)
    assert (last["state"], last["fun"]) == ("wb_run", "ended")
    assert {(one["state"], one["fun"]) for one in between} == {("wb_step", "taken")}


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_taken_in_the_order_of_the_file(compiled, kind):
    files = [ORCH / "steps" / f"{name.removeprefix('orch.steps.')}.sls" for name in listed(kind)]
    declared = [one for file in files for one in yaml.safe_load(file.read_text()).values()]

    assert steps(compiled[kind]) == [one["wb_step.taken"][0]["step"] for one in declared]
    assert len(set(steps(compiled[kind]))) == len(declared)


@pytest.mark.parametrize("kind", KINDS)
def test_every_step_exists(compiled, kind):
    for name in steps(compiled[kind]):
        assert callable(step(name).take) and callable(step(name).forecast)


def test_the_names_of_the_files_are_the_order_of_a_run_and_its_steps(compiled):
    files = [file.stem for file in sorted((ORCH / "steps").glob("[0-9]*.sls"))]
    assert [stem.partition("_")[2] for stem in files] == steps(compiled["release"])
    assert [stem.partition("_")[0] for stem in files] == [
        f"{number:02}" for number in range(1, len(files) + 1)
    ]


def test_every_step_is_used_by_an_orchestration(compiled):
    assert {name for kind in KINDS for name in steps(compiled[kind])} == set(STEPS)


def test_every_orchestration_can_be_asked_for_and_no_file_is_an_orphan():
    assert {file.stem for file in ORCH.glob("*.sls")} == set(KINDS)
    used = {name.removeprefix("orch.steps.") for kind in KINDS for name in listed(kind)}
    assert {file.stem for file in (ORCH / "steps").glob("*")} == used
    for kind in KINDS:
        pillar = {} if kind in (ROLLBACK, ADOPT) else {"build": "WS221"}
        assert Request.parse(kind, pillar).kind == kind


def test_a_release_takes_the_steps_of_the_wiki_page_in_their_order(compiled):
    taken = steps(compiled[RELEASE])

    assert [name for name in taken if name in WIKI] == WIKI
    assert taken[0] == "seal"
    # What was live before is known to be the way back only when the release has passed.
    assert taken[-1] == "purge_old_releases"


@pytest.mark.parametrize("kind", [RELEASE, GOLIVE, ROLLBACK])
def test_nothing_slow_lies_between_the_maintenance_page_and_its_end(compiled, kind):
    taken = steps(compiled[kind])
    begun = taken.index("take_out_of_service")
    # The canary does nothing while the page is up.
    going = ["take_out_of_service", "canary", "go_live", "return_to_service"]

    assert taken[begun : begun + 4] == going


@pytest.mark.parametrize("kind", [PUSH, ADOPT])
def test_push_and_adopt_move_and_announce_nothing(compiled, kind):
    moving = {"take_out_of_service", "go_live", "return_to_service"}
    telling = {"send_mail", "post_blog", "publish_software", "copy_reference"}

    assert not (moving | telling | {"purge_old_releases"}) & set(steps(compiled[kind]))


def test_every_state_is_named_once_in_words(compiled):
    for kind in KINDS:
        names = [chunk["__id__"] for chunk in compiled[kind]]
        assert len(set(names)) == len(names)
        assert all(name in ("begin", "end") or " " in name for name in names)


def test_a_command_for_each_stands_in_its_file():
    for kind in KINDS:
        text = (ORCH / f"{kind}.sls").read_text()
        assert f"salt-run state.orch orch.{kind}" in text


def test_no_orchestration_has_logic():
    for file in ORCH.rglob("*.sls"):
        text = file.read_text()
        assert "{%" not in text and "{{" not in text and "cmd.run" not in text, file
