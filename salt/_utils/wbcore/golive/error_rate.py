"""Whether more requests fail than before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

# Less than so many failures are no rate.
LEAST_ERRORS = 3


def too_many(before: Mapping[str, int], after: Mapping[str, int], percent: float) -> bool:
    """Whether more requests fail than before, by more than ``percent`` of them.

    before, after
        ``{answers, errors}``: requests that were answered, and of these with 5xx.
    """
    if after["errors"] < LEAST_ERRORS:
        return False
    usual = before["errors"] / before["answers"] if before["answers"] else 0.0
    return after["errors"] / after["answers"] > usual + percent / 100


def count(statuses: Sequence[int]) -> dict[str, int]:
    """Requests that were answered, and of these with 5xx."""
    return {"answers": len(statuses), "errors": sum(status >= 500 for status in statuses)}


def since(begun: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """What a counter counted since; one that is lower than it was began anew."""
    anew = now["answers"] < begun["answers"]
    return {key: value if anew else value - begun[key] for key, value in now.items()}
