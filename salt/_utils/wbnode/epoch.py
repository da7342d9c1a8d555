"""The last epoch that this node received; see :mod:`wbcore.golive.epoch`."""

from __future__ import annotations

from wbcore.errors import BadData
from wbcore.golive import epoch
from wbcore.layout import Layout

from . import files, minion


def held(layout: Layout) -> int:
    """The last epoch that this node received, 0 before the first."""
    try:
        return int(layout.epoch.read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0
    except ValueError as error:
        raise BadData(
            f"{layout.epoch} holds no number", "remove it; the next run writes it anew"
        ) from error


def heed(layout: Layout, given: int | None) -> int:
    """Keep the epoch of an order if it is later than what is held; the epoch that counts now.

    given
        The epoch of the order; None for an order by hand, which is of no epoch.

    StepFailed for an older order. Whoever acts on an order heeds its epoch while holding the
    lock of what it acts on, so that no older order can follow.
    """
    with minion.alone(layout.epoch_lock):
        now = held(layout)
        if given is None:
            return now
        epoch.check_order(now, given)
        if given > now:
            files.write_whole(layout.epoch, f"{given}\n".encode())
        return given
