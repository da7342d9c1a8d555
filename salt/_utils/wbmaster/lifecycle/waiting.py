"""Runs that wait for a machine: they have no end yet, and go on when it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wbcore.errors import Away
from wbcore.events import WAITING

from ..ledger import Ledger
from ..office import Office

# The figure of a run with the machines that it waits for.
_FOR = "waits_for"


def begin(ledger: Ledger, run: str, error: Away, figures: dict[str, Any]) -> None:
    """Record that a run waits, in the ledger and in its figures."""
    figures[_FOR] = {"machines": list(error.machines)}
    ledger.describe_run(run, figures=figures, outcome=WAITING, error=str(error))


def goes_on_waiting(office: Office, run: Mapping[str, Any]) -> bool:
    """Whether a run waits for machines of which one does not answer yet."""
    if run["outcome"] != WAITING:
        return False
    answers = office.fleet.ask(run["figures"][_FOR]["machines"], "test.ping")
    return not all(answer.good for answer in answers.values())
