"""bench/enforce: what is compared with what, and when it is too much."""

import pytest

from bench import enforcing


@pytest.fixture(autouse=True)
def result(tmp_path, monkeypatch):
    monkeypatch.setattr(enforcing, "RESULT", tmp_path / "results" / "enforce.json")
    return enforcing.RESULT


def test_both_are_taken_in_turn_and_the_first_of_each_does_not_count():
    given = []

    def seconds(*words):
        given.append(words[0])
        return 9.0 if len(given) <= 2 else {"state.top": 1.0, "state.apply": 1.4}[words[0]]

    times = enforcing._measured(seconds, 3)

    assert (times["empty"], times["apply"], times["ratio"]) == (1.0, 1.4, 1.4)
    assert given == ["state.top", "state.apply"] * 4


@pytest.mark.parametrize(("ratio", "code"), [(1.5, 0), (1.51, 1)])
def test_the_greatest_ratio_is_the_last_line_and_the_exit_code(capsys, result, ratio, code):
    row = {"node": "wb-web1", "files": 10_000, "way": "job", "empty": 1.0, "apply": 1.0}

    assert enforcing.told([{**row, "ratio": 1.0}, {**row, "ratio": ratio}]) == code
    assert capsys.readouterr().out.splitlines()[-1] == f"ratio {ratio:.2f} (at most 1.5)"
    assert result.exists()
