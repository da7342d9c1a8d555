"""Metrics: gathered from the ledger and the nodes, written where node_exporter reads them."""

from __future__ import annotations

import datetime
import logging
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wbcore.errors import BadRequest, Interrupted, ReleaseError
from wbcore.golive.served import differences
from wbcore.metrics import Facts, Push, text
from wbcore.model.ledger_facts import Known
from wbcore.model.roles import node_links
from wbcore.names import Release
from wbcore.settings import Settings

from ..ledger import Ledger
from ..nodes.bus import LOST
from ..nodes.fleet import Fleet
from ..office import Office
from ..run import Run

log = logging.getLogger(__name__)


def show(office: Office) -> str:
    """What is measured at this moment, as text; written too, where the pillar says so."""
    settings = office.settings
    told = _text(settings, office.ledger, office.fleet, settings.serving)
    if settings.metrics.textfile:
        _write(Path(settings.metrics.textfile), told)
    return told


def write_after(ended: Run) -> None:
    """Write what is measured at the end of a run, which does not fail for it."""
    path = ended.settings.metrics.textfile
    if not path or isinstance(ended.error, Interrupted):
        return
    try:
        answering = [*ended.plan.present, *ended.plan.lacking]
        _write(Path(path), _text(ended.settings, ended.ledger, ended.fleet, answering))
    except (ReleaseError, *LOST) as error:
        log.warning("the metrics were not written: %s", error)


def _text(settings: Settings, ledger: Ledger, fleet: Fleet, nodes: Sequence[str]) -> str:
    now = time.time()
    versions = _values(fleet, nodes, "wb_live.version")
    held = _values(fleet, nodes, "wb_dataset.held")
    unread = {node: now - _oldest(one) for node, one in held.items() if one}
    return text(gather(settings, ledger, versions, unread, now))


def _values(fleet: Fleet, nodes: Sequence[str], function: str) -> dict[str, Any]:
    """What those nodes say that have an answer."""
    answers = fleet.ask(nodes, function)
    return {node: answer.value for node, answer in answers.items() if answer.good}


def _oldest(held: Mapping[str, Mapping[str, Any]]) -> float:
    """When that dataset was read which was not read for longest; seconds since 1970."""
    return min(datetime.datetime.fromisoformat(one["read"]).timestamp() for one in held.values())


def gather(
    settings: Settings,
    ledger: Ledger,
    versions: Mapping[str, Mapping[str, Any]],
    unread: Mapping[str, float],
    now: float,
) -> Facts:
    """What is known; ``versions`` is what nodes answer to ``wb_live.version``."""
    known = ledger.known()
    serving = {node: _served(settings, known, node, one) for node, one in versions.items()}
    return Facts(
        now,
        known.live,
        ledger.live_since(),
        {node: release for node, release in serving.items() if release},
        _push(ledger.newest_push()),
        ledger.newest_figure("window"),
        ledger.outcomes(),
        ledger.drift_told(),
        unread,
    )


def _served(
    settings: Settings, known: Known, node: str, version: Mapping[str, Any]
) -> Release | None:
    """The release that a node serves the whole of; None for a mixture, and where there is
    nothing to recognise it by."""
    newest_first = [*reversed(known.stack), *reversed(list(known.releases))]
    for release in newest_first:
        links = node_links(settings, node, known.releases[release].links())
        if links and not differences(version, links):
            return release
    return None


def _push(steps: Sequence[Mapping[str, Any]]) -> Push | None:
    if not steps:
        return None
    entered: dict[str, int] = {}
    for step in steps:
        for site, count in step["figures"]["entered"].items():
            entered[site] = entered.get(site, 0) + count
    return Push(
        entered,
        sum(step["figures"]["received"] for step in steps),
        sum(step["figures"]["seconds"] for step in steps),
    )


def _write(path: Path, told: str) -> None:
    """Replace the file whole; a reader finds the old one or the new one."""
    if not path.parent.is_dir():
        raise BadRequest(
            f"there is no directory {path.parent} for wormbase:metrics:textfile",
            "make it, or name the one that node_exporter reads",
        )
    # node_exporter reads what ends in .prom; this does not, until it is whole.
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            os.fchmod(descriptor, 0o644)
            stream.write(told)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
