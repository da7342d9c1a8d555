"""Telling the nodes that an epoch has begun; :mod:`wbcore.golive.epoch` says what for."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from wbcore.errors import ReleaseError
from wbcore.golive import epoch
from wbcore.settings import Settings

from ..ledger import Ledger
from ..nodes.bus import LOST
from ..nodes.fleet import Fleet


def check(fleet: Fleet, settings: Settings, ledger: Ledger) -> None:
    """BadData when the nodes that answer have reached a later epoch than the ledger."""
    answers = fleet.ask(list(settings.nodes), "wb_live.epoch")
    held = {node: int(answer.value) for node, answer in answers.items() if answer.good}
    epoch.check_ledger(ledger.epoch(), held, settings)


def tell(fleet: Fleet, nodes: Sequence[str], begun: int) -> None:
    """Let nodes know that an epoch has begun; who does not hear it now hears it with the next
    order."""
    with contextlib.suppress(ReleaseError, *LOST):
        fleet.ask(nodes, "wb_live.heed", epoch=begun)
