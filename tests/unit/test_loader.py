"""Salt's own loader takes every module of the project."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import salt.loader
import salt.utils.extmods

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def opts(make_opts):
    return {**make_opts("wb-web1", {}), "utils_dirs": [str(CHECKOUT / "salt/_utils")]}


def failures(caplog):
    return [record.getMessage() for record in caplog.records if "Failed to" in record.getMessage()]


@pytest.mark.parametrize(("folder", "load"), [("_modules", "minion_mods"), ("_states", "states")])
def test_every_module_gives_its_functions(opts, caplog, folder, load):
    with caplog.at_level(logging.ERROR):
        functions = salt.loader.minion_mods(opts)
        if load == "states":
            functions = salt.loader.states(opts, functions, {}, None)
        known = {name.partition(".")[0] for name in functions}
    assert failures(caplog) == []
    assert {path.stem for path in (CHECKOUT / "salt" / folder).glob("wb_*.py")} <= known


def test_a_minion_gets_the_shared_packages_with_their_folders(make_opts):
    """Salt's own synchronisation, from the checkout's file root into an empty cache; what was
    there of an earlier version goes."""
    opts = {**make_opts("wb-web1", {}), "file_roots": {"base": [str(CHECKOUT / "salt")]}}
    synced = Path(opts["extension_modules"]) / "utils"
    old = synced / "wbcore/golive.py"
    old.parent.mkdir(parents=True)
    old.touch()

    changed, touched = salt.utils.extmods.sync(opts, "utils")

    shared = CHECKOUT / "salt/_utils"
    files = {file.relative_to(shared) for file in shared.rglob("*.py")}
    assert {file.relative_to(synced) for file in synced.rglob("*.py")} == files
    assert "utils.wbnode.transport.pull" in changed
    assert len(changed) == len(files)
    assert touched
    imported = "import wbmaster.lifecycle.begin, wbnode.transport.pull, wbcore.golive.served as one"
    told = subprocess.run(
        [sys.executable, "-c", f"{imported}; print(one.__file__)"],
        env={**os.environ, "PYTHONPATH": str(synced), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == str(synced / "wbcore/golive/served.py")
