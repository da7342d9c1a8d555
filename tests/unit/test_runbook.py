"""docs/runbook.md and the errors in the code: neither says what the other does not."""

import re
import subprocess
from pathlib import Path

import pytest
from wbcore.errors import ReleaseError
from wbcore.names import Build, Release
from wbcore.requests import Request
from wbmaster.steps import STEPS

CHECKOUT = Path(__file__).resolve().parents[2]
PAGE = (CHECKOUT / "docs/runbook.md").read_text(encoding="utf-8")


def test_the_page_is_what_the_code_gives():
    told = subprocess.run([CHECKOUT / "bin/runbook"], capture_output=True, text=True, check=True)

    assert told.stdout == PAGE, "run bin/runbook > docs/runbook.md"


@pytest.mark.parametrize(
    "refused",
    [
        lambda: Build.parse("../WS221"),
        lambda: Release.parse("WS221"),
        lambda: Request.parse("release", {}),
        lambda: Request.parse("release", {"biuld": "WS221"}),
    ],
)
def test_a_last_line_is_found_by_its_words(refused):
    with pytest.raises(ReleaseError) as error:
        refused()
    lines = [row for row in PAGE.splitlines() if row.count(" | ") == 1 and "…" in row]

    assert any(matches(row, error.value) for row in lines), str(error.value)


def matches(row: str, error: ReleaseError) -> bool:
    """Whether an error is that of a row."""
    what, todo = (re.escape(cell.strip()) for cell in row.strip("|").split(" | "))
    return all(
        re.fullmatch(cell.replace("…", ".*"), text)
        for cell, text in ((what, error.what), (todo, error.todo))
    )


def test_the_steps_that_it_names_exist():
    table = PAGE.partition("## What does the site serve?")[2].partition("\n## ")[0]

    assert set(re.findall(r"`([a-z]+_[a-z_]+|canary)`", table)) <= set(STEPS)
