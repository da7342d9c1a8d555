"""Which half of the web nodes goes live first."""

from __future__ import annotations

from collections.abc import Sequence


def first_half(web: Sequence[str], serving: Sequence[str]) -> list[str]:
    """The web nodes that go live first: those that do not serve, and of those that do so many
    that it is half of all, every second one, so that no site is left without any.

    One that serves stays, unless none does.
    """
    out = [node for node in web if node not in serving]
    inside = [node for node in web if node in serving]
    lacking = min(max(0, len(web) // 2 - len(out)), max(0, len(inside) - 1))
    chosen = {*out, *[*inside[1::2], *inside[0::2]][:lacking]}
    return [node for node in web if node in chosen]
