"""Salt's own loader takes every module of the project."""

import logging
from pathlib import Path

import pytest
import salt.loader

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
