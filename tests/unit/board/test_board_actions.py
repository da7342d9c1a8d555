"""What can be done on the board is what the runner takes."""

import ast
from pathlib import Path

import pytest
from wbcore.errors import BadRequest

from board.actions import ACTIONS, START, VIEW, action, again

RUNNER = Path(__file__).resolve().parents[3] / "salt/_runners/wb_release.py"
FUNCTIONS = {
    f"wb_release.{one.name}": [argument.arg for argument in one.args.args]
    for one in ast.parse(RUNNER.read_text()).body
    if isinstance(one, ast.FunctionDef)
}


@pytest.mark.parametrize("verb", ACTIONS)
def test_an_action_is_a_call_that_the_runner_takes(verb):
    one = ACTIONS[verb]

    assert set(one.arguments("WS221", "because")) <= set(FUNCTIONS[one.function])
    assert ("reason" in FUNCTIONS[one.function]) == one.reason
    if one.starts:
        assert set(one.planned("WS221")) <= set(FUNCTIONS["wb_release.plan"])


def test_the_roles_are_told_by_functions_that_exist():
    assert {VIEW, START} <= set(FUNCTIONS)


@pytest.mark.parametrize("build", ["", "../x", "WS221; rm", "<b>"])
def test_a_build_that_is_none_is_refused(build):
    with pytest.raises(BadRequest):
        action("release").arguments(build, "because")


def test_a_word_that_is_no_action_is_refused():
    with pytest.raises(BadRequest, match="'shell' is nothing"):
        action("shell")


def test_going_back_and_a_hold_of_everything_need_no_build():
    assert action("rollback").arguments("WS221", "x") == {"kind": "rollback", "reason": "x"}
    assert action("hold").arguments("", "x") == {"reason": "x"}
    assert action("hold").arguments("WS221", "x") == {"build": "WS221", "reason": "x"}


@pytest.mark.parametrize(
    ("kind", "minor", "outcome", "verb"),
    [
        ("release", False, "failed", "release"),
        ("release", True, "died", "minor"),
        ("release", False, "done", ""),
        ("rollback", False, "failed", "rollback"),
        ("adopt", False, "failed", ""),
    ],
)
def test_a_run_that_failed_is_given_again_by_its_own_button(kind, minor, outcome, verb):
    assert again({"kind": kind, "request": {"minor": minor}, "outcome": outcome}) == verb
